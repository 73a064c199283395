"""Erasing a key, in steps that may be repeated after a crash, and how processes that keep keys in memory hear of it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services.keys.ring import Ring

HEAR_SECONDS: Final = 0.5
SETTLED_SECONDS: Final = 3.0
"""After so long no process seals under a hidden key: it has heard, and what it had in hand is committed or refused
(the record's writers wait at most two seconds for a lock)."""

_OVERLAP_SECONDS: Final = 10
_PATIENCE_SECONDS: Final = 2.0
# Names the row while its erasure is under way; no address is spelt like this.
_ERASING: Final = "\0erasing\0"
_HIDE: Final = """
    UPDATE keys.subjects SET lookup = %(erasing)s, erased_at = clock_timestamp()
    WHERE lookup = %(lookup)s AND tenant = %(tenant)s
        AND NOT EXISTS (SELECT FROM keys.subjects WHERE lookup = %(erasing)s AND tenant = %(tenant)s)"""
_HIDDEN: Final = """
    SELECT address_id, epoch, erased_at FROM keys.subjects WHERE lookup = %(erasing)s AND tenant = %(tenant)s"""
_HIDE_IDS: Final = """
    UPDATE keys.subjects SET lookup = NULL, erased_at = clock_timestamp()
    WHERE address_id = ANY(%s) AND wrapped IS NOT NULL AND erased_at IS NULL"""
_NAME: Final = "UPDATE keys.subjects SET lookup = %s WHERE address_id = %s AND wrapped IS NOT NULL"
_DESTROY_ID: Final = "UPDATE keys.subjects SET lookup = NULL, wrapped = NULL WHERE address_id = %s"
_HEARD: Final = """
    SELECT tenant, address_id, clock_timestamp() FROM keys.subjects
    WHERE erased_at > %(since)s::timestamptz - make_interval(secs => %(overlap)s)
    UNION ALL SELECT NULL, NULL, clock_timestamp() ORDER BY 2 NULLS LAST"""
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Hidden:
    """A key on its way out: nobody finds it by its address any more."""

    tenant: str
    address_id: UUID
    epoch: int
    erased_at: datetime


async def hide(pool: AsyncConnectionPool, ring: Ring, tenant: str, address: str) -> Hidden | None:
    """Let nobody find the key by its address; None when there is none.

    What comes from this address from now on gets another key. An erasure that a crash cut short is found again.
    """
    arguments = {
        "tenant": tenant,
        "lookup": await ring.lookup(tenant, address),
        "erasing": await ring.lookup(tenant, _ERASING + address),
    }
    async with pool.connection() as connection:
        await connection.execute(_HIDE, arguments)
        row = await (await connection.execute(_HIDDEN, arguments)).fetchone()
    if row is None:
        return None
    ring.drop(tenant, address, row[0])
    return Hidden(tenant, *row)


async def hide_ids(pool: AsyncConnectionPool, ids: Collection[UUID]) -> None:
    """Let nobody find these by their addresses: they were erased, and a restored copy of the keys knows no more of it.

    Each is erased again by `name_hidden` and `hide`, or by `destroy_id`.
    """
    async with pool.connection() as connection:
        await connection.execute(_HIDE_IDS, (list(ids),))


async def name_hidden(pool: AsyncConnectionPool, ring: Ring, tenant: str, address: str, address_id: UUID) -> bool:
    """Let `hide` find a hidden key as an erasure that was cut short; False where another one of the address is it."""
    lookup = await ring.lookup(tenant, _ERASING + address)
    try:
        async with pool.connection() as connection:
            await connection.execute(_NAME, (lookup, address_id))
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def destroy_id(pool: AsyncConnectionPool, address_id: UUID) -> None:
    """Destroy a hidden key of which nobody can tell the address."""
    async with pool.connection() as connection:
        await connection.execute(_DESTROY_ID, (address_id,))


async def destroy(pool: AsyncConnectionPool, hidden: Hidden) -> None:
    """Destroy the key itself, for ever; `SETTLED_SECONDS` after it was hidden."""
    async with pool.connection() as connection:
        await connection.execute("UPDATE keys.subjects SET wrapped = NULL WHERE address_id = %s", (hidden.address_id,))


async def finish(pool: AsyncConnectionPool, hidden: Hidden) -> None:
    """Forget also which address it was: the last step."""
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE keys.subjects SET wrapped = NULL, lookup = NULL WHERE address_id = %s", (hidden.address_id,)
        )


class Erasures:
    """Takes erased keys out of a ring, for processes that seal without reading the record."""

    def __init__(self, pool: AsyncConnectionPool, ring: Ring) -> None:
        """`pool` is to KEYS_URL. The ring has to be new: what it met before is not looked for."""
        self._pool: Final = pool
        self._ring: Final = ring
        self._since: datetime | None = None

    async def refresh(self) -> None:
        """Hear what was erased since the last time; while PostgreSQL is away, nothing can be erased either."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
                cursor = await connection.execute(_HEARD, {"since": self._since, "overlap": _OVERLAP_SECONDS})
                rows = await cursor.fetchall()
        except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
            _log.debug("erasures.away", error=type(error).__name__)
            return
        found = {address_id: tenant for tenant, address_id, _ in rows if address_id is not None}
        # Each of them every time: a key may come into memory that was read just before it was hidden.
        for address_id, tenant in found.items():
            self._ring.drop(tenant, None, address_id)
        self._since = rows[-1][2]

    async def hear(self) -> None:
        """Again and again, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(HEAR_SECONDS)
