"""Finds the fact that a decision was made on. Nothing indexes facts by id, but a decision follows its fact closely."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from services.record.reader import Reader, Row

_NEAR: Final = 2_000
_WINDOW: Final = 100_000
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=2)
_LONGEST_CALL: Final = timedelta(hours=4)
"""Where nothing else was set; source: https://www.twilio.com/docs/voice/twiml/dial#attributes-time-limit."""
_BY_ID: Final = """
    SELECT position FROM record.facts
    WHERE position > %s AND position < %s AND tenant = %s AND event_id = %s ORDER BY position DESC LIMIT 1"""
_BY_CALLER: Final = """
    SELECT position FROM record.facts
    WHERE position > %s AND position < %s AND tenant = %s AND subject = %s AND topic = 'interactions'
    ORDER BY position DESC LIMIT 1"""
_SEEN: Final = "SELECT raw_id FROM record.seen WHERE event_id = %s AND tenant = %s ORDER BY revision LIMIT 1"


class FactsBelow:
    """Looks right below a decision first, and further down only as far as its fact can be."""

    def __init__(self, record: AsyncConnectionPool, reader: Reader) -> None:
        """Pool and reader to the same record."""
        self._record: Final = record
        self._reader: Final = reader

    async def by_id(self, tenant: str, event_id: UUID, below: int) -> Row | None:
        """The fact with this id, in its newest revision below this position."""
        found = await self._position(_BY_ID, (below - _NEAR, below, tenant, event_id))
        if found is None and (came_at := await self._came_at(tenant, event_id)) is not None:
            floor = await self._reader.position_at(came_at - _CLOCKS_DIFFER_BY)
            found = await self._further(_BY_ID, tenant, event_id, floor, below)
        return await self._row(found)

    async def by_caller(self, tenant: str, address_id: UUID, below: int, decided_at: datetime) -> Row | None:
        """The last that was heard of this address, no longer ago than a call lasts."""
        found = await self._position(_BY_CALLER, (below - _NEAR, below, tenant, address_id))
        if found is None:
            floor = await self._reader.position_at(decided_at - _LONGEST_CALL)
            found = await self._further(_BY_CALLER, tenant, address_id, floor, below)
        return await self._row(found)

    async def _further(self, query: LiteralString, tenant: str, wanted: UUID, floor: int, below: int) -> int | None:
        for after, before in _windows(floor, below - _NEAR + 1):
            found = await self._position(query, (after, before, tenant, wanted))
            if found is not None:
                return found
        return None

    async def _position(self, query: LiteralString, arguments: tuple[object, ...]) -> int | None:
        async with self._record.connection() as connection:
            row = await (await connection.execute(query, arguments)).fetchone()
        return None if row is None else row[0]

    async def _came_at(self, tenant: str, event_id: UUID) -> datetime | None:
        async with self._record.connection() as connection:
            row = await (await connection.execute(_SEEN, (event_id, tenant))).fetchone()
        return None if row is None else _made_at(row[0])

    async def _row(self, position: int | None) -> Row | None:
        rows = [] if position is None else await self._reader.rows_at([position])
        return rows[0] if rows else None


def _windows(floor: int, below: int) -> Iterator[tuple[int, int]]:
    """From the top down to the floor, without gaps; both ends excluded."""
    while below > floor + 1:
        after = max(floor, below - _WINDOW)
        yield after, below
        below = after + 1


def _made_at(raw_id: UUID) -> datetime:
    # RFC 9562, section 5.7.
    return datetime.fromtimestamp((raw_id.int >> 80) / 1000, UTC)
