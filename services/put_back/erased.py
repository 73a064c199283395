"""Erasures that the record, the key store or both lost: nothing about these addresses comes back, and they go again."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

import orjson
from psycopg_pool import AsyncConnectionPool

from schemas.event import Undecodable
from services.cloudevents import from_headers
from services.keys import erasures
from services.keys.erasures import Hidden
from services.keys.ring import Ring
from services.keys.vault import Unsealable, event_context, unseal
from services.put_back.tally import Tally
from services.put_back.wire import Lost, pages
from services.record.erase import erase, tell
from services.record.errors import Refused
from services.settings import Settings

_ERASED: Final = "address.erased"
_TOLD: Final = "SELECT tenant, subject FROM record.facts WHERE topic = 'customers' AND type = 'address.erased'"
_ALIVE: Final = """
    SELECT tenant, address_id FROM keys.subjects WHERE address_id = ANY(%s) AND wrapped IS NOT NULL
    ORDER BY lookup NULLS LAST"""
_UNTOLD: Final = """
    SELECT tenant, address_id, epoch, erased_at FROM keys.subjects
    WHERE erased_at IS NOT NULL AND wrapped IS NULL AND address_id <> ALL(%s)"""
_FACT: Final = """
    SELECT event_id, revision, personal FROM record.facts
    WHERE tenant = %s AND subject = %s AND personal IS NOT NULL LIMIT 1"""


async def known_erasures(settings: Settings, record: AsyncConnectionPool, wanted: Lost) -> set[tuple[str, UUID]]:
    """Tenant and id of each address whose erasure stands in the record, or on the wire where the record lost it.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
    """
    async with record.connection() as connection:
        found = set(await (await connection.execute(_TOLD)).fetchall())
    async for page in pages(settings, wanted, ("customers",)):
        for entry in page:
            try:
                row = from_headers(entry.topic, entry.record.headers, entry.record.value)
            except Undecodable:
                continue
            if row.type == _ERASED:
                found.add((row.tenant, row.subject))
    return found


class Again:
    """Finishes what a restored key store undid."""

    def __init__(self, settings: Settings, record: AsyncConnectionPool, keys: AsyncConnectionPool, ring: Ring) -> None:
        """Pools of the owner; a ring that has sealed nothing yet."""
        self._settings: Final = settings
        self._record: Final = record
        self._keys: Final = keys
        self._ring: Final = ring

    async def erase(self, erased: Collection[UUID], addresses: Mapping[UUID, tuple[str, str]], tally: Tally) -> None:
        """Erase whoever of these has a living key; `addresses` as the wire told. May be repeated.

        Raises:
            psycopg.OperationalError: PostgreSQL is away.
        """
        async with self._keys.connection() as connection:
            alive = await (await connection.execute(_ALIVE, (list(erased),))).fetchall()
        for tenant, address_id in alive:
            pair = addresses.get(address_id)
            address = await self._in_record(tenant, address_id) if pair is None else pair[1]
            try:
                await self._erase(tenant, address_id, address)
            except Refused:
                tally.not_yet_erased.append(address_id)
            else:
                tally.erased_again += 1

    async def tell(self, erased: Collection[UUID]) -> None:
        """Record the erasures that only the key store knows: readers have to hear of them."""
        async with self._keys.connection() as connection:
            rows = await (await connection.execute(_UNTOLD, (list(erased),))).fetchall()
        for row in rows:
            await tell(self._settings, self._record, Hidden(*row))

    async def _erase(self, tenant: str, address_id: UUID, address: str | None) -> None:
        if address is None or not await erasures.name_hidden(self._keys, self._ring, tenant, address, address_id):
            await erasures.destroy_id(self._keys, address_id)
        else:
            await erase(self._settings, self._record, self._keys, self._ring, tenant=tenant, address=address)

    async def _in_record(self, tenant: str, address_id: UUID) -> str | None:
        async with self._record.connection() as connection:
            row = await (await connection.execute(_FACT, (tenant, address_id))).fetchone()
        subject = (await self._ring.by_ids([address_id]))[address_id]
        if row is None or subject is None:
            return None
        try:
            return orjson.loads(unseal(subject.cipher, row[2], event_context(row[0].bytes, row[1])))["address"]
        except Unsealable:
            return None
