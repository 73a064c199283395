"""Which raw requests hold a person: by the facts that came from them, and by what they say where no fact came."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from urllib.parse import unquote_plus
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from channels.contract import InboundRequest
from services.keys.ring import Ring
from services.keys.vault import Unsealable
from services.record.raw import opened

_NUMBER_DIGITS: Final = 10
_CHUNK: Final = 200
_BY_FACTS: Final = """
    WITH theirs AS (
        SELECT DISTINCT raw_id FROM record.facts WHERE tenant = %(tenant)s AND subject = %(subject)s
    )
    SELECT f.raw_id, array_agg(DISTINCT f.subject) FROM record.facts AS f JOIN theirs USING (raw_id)
    GROUP BY f.raw_id"""
_DAYS: Final = "SELECT raw_id, day FROM record.raw WHERE tenant = %s AND raw_id = ANY(%s)"
_WITHOUT_FACTS: Final = """
    SELECT r.raw_id FROM record.raw AS r WHERE r.tenant = %(tenant)s
        AND NOT EXISTS (SELECT FROM record.facts AS f WHERE f.raw_id = r.raw_id)
        AND NOT EXISTS (SELECT FROM service.pending AS p WHERE p.raw_id = r.raw_id)"""
_SEALED: Final = "SELECT raw_id, day, sealed FROM record.raw WHERE tenant = %s AND raw_id = ANY(%s)"
_WAITING: Final = """
    SELECT raw_id FROM service.pending
    WHERE tenant = %(tenant)s AND (%(of)s::uuid[] IS NULL OR raw_id = ANY(%(of)s::uuid[]))"""
_ALIVE: Final = "SELECT address_id FROM keys.subjects WHERE address_id = ANY(%s) AND wrapped IS NOT NULL"


class Holders:
    """Looks for one address of one tenant."""

    def __init__(self, record: AsyncConnectionPool, ring: Ring, tenant: str, address: str) -> None:
        """`record` is a pool of the owner."""
        self._record: Final = record
        self._ring: Final = ring
        self._tenant: Final = tenant
        self._address: Final = address

    async def waiting(self, of: Collection[UUID] | None) -> list[UUID]:
        """Which of these (None: all) wait for a parser."""
        async with self._record.connection() as connection:
            arguments = {"tenant": self._tenant, "of": None if of is None else list(of)}
            return [row[0] for row in await (await connection.execute(_WAITING, arguments)).fetchall()]

    async def split(self, address_id: UUID, keys: AsyncConnectionPool) -> tuple[list[UUID], dict[UUID, date]]:
        """Requests that hold only this person, and with their days those that hold others too."""
        async with self._record.connection() as connection:
            cursor = await connection.execute(_BY_FACTS, {"tenant": self._tenant, "subject": address_id})
            others = {row[0]: set(row[1]) - {address_id} for row in await cursor.fetchall()}
            without = await (await connection.execute(_WITHOUT_FACTS, {"tenant": self._tenant})).fetchall()
        alive = await _alive(keys, {other for found in others.values() for other in found})
        alone = [raw_id for raw_id, found in others.items() if not found & alive]
        shared = [raw_id for raw_id, found in others.items() if found & alive]
        for raw_id, is_theirs in (await self.naming([row[0] for row in without])).items():
            (alone if is_theirs else shared).append(raw_id)
        async with self._record.connection() as connection:
            days = await (await connection.execute(_DAYS, (self._tenant, shared))).fetchall()
        return alone, {row[0]: row[1] for row in days}

    async def naming(self, raws: Sequence[UUID]) -> Mapping[UUID, bool]:
        """Which of these requests name the address; True for those that nobody else sent."""
        found: dict[UUID, bool] = {}
        for start in range(0, len(raws), _CHUNK):
            async with self._record.connection() as connection:
                cursor = await connection.execute(_SEALED, (self._tenant, raws[start : start + _CHUNK]))
                rows = await cursor.fetchall()
            for raw_id, day, sealed in rows:
                request = await self._opened(raw_id, day, sealed)
                if request is not None and names(request, self._address):
                    found[raw_id] = is_from(request, self._address)
        return found

    async def _opened(self, raw_id: UUID, day: date, sealed: bytes) -> InboundRequest | None:
        cipher = await self._ring.existing_day(self._tenant, day)
        try:
            return None if cipher is None else opened(bytes(sealed), raw_id, cipher)
        except Unsealable:
            return None


def names(request: InboundRequest, address: str) -> bool:
    """Whether the request says the address somewhere, as it is or as a form or a URL writes it."""
    needle = _needle(address)
    body = request.body.decode("utf-8", "replace")
    texts = (request.url, body, *(value for _, value in request.headers))
    return any(needle in text.lower() or needle in unquote_plus(text).lower() for text in texts)


def is_from(request: InboundRequest, address: str) -> bool:
    """Whether it tells of this person alone: a hook or a form does; a mail when its envelope says that they sent it."""
    return request.method != "MAIL" or _needle(address) in (request.header("mail-from") or "").lower()


def _needle(address: str) -> str:
    kind, _, rest = address.partition(":")
    # However the number is written, it ends like this.
    return rest.lstrip("+")[-_NUMBER_DIGITS:] if kind in ("tel", "whatsapp") else rest.lower()


async def _alive(keys: AsyncConnectionPool, subjects: Collection[UUID]) -> set[UUID]:
    """Who of these was not erased."""
    async with keys.connection() as connection:
        return {row[0] for row in await (await connection.execute(_ALIVE, (list(subjects),))).fetchall()}
