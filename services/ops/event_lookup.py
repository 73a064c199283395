"""Finds one event by its id or its reference.

Nothing indexes facts by id: `seen` names the request that one came with, the request's id holds its time, and times
become positions.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.reference import parse_reference
from services.record.errors import Refused
from services.record.reader import Reader, Row

_SEEN: Final = """
    SELECT event_id, max(revision), (array_agg(raw_id ORDER BY revision))[1] FROM record.seen
    WHERE event_id BETWEEN %s AND %s AND (%s::text IS NULL OR tenant = %s::text) GROUP BY event_id"""
_FACT: Final = """
    SELECT position FROM record.facts
    WHERE position > %s AND position <= %s AND event_id = %s AND revision = %s
        AND (%s::text IS NULL OR tenant = %s::text)
    LIMIT 1"""
_DECISION: Final = """
    SELECT position FROM record.decisions
    WHERE event_id BETWEEN %s AND %s AND (%s::text IS NULL OR tenant = %s::text)"""
_WINDOW: Final = 100_000
_SLACK: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class _Clue:
    event_id: UUID
    revision: int
    raw_id: UUID


async def find_event(pool: AsyncConnectionPool, reader: Reader, written: str, tenant: str | None) -> Row:
    """The newest revision of the event. Raises `Refused` when there is none, or several have this reference."""
    lowest, highest = _range(written)
    whose = (tenant, tenant)
    async with pool.connection() as connection:
        clues = [_Clue(*row) for row in await (await connection.execute(_SEEN, (lowest, highest, *whose))).fetchall()]
        if len(clues) > 1:
            raise Refused(f"Several events have this reference: {', '.join(str(clue.event_id) for clue in clues)}.")
        if clues:
            start = await reader.position_at(_made_at(clues[0].raw_id) - _SLACK)
            position = await _fact(connection, clues[0], start, await reader.head(), tenant)
        else:
            row = await (await connection.execute(_DECISION, (lowest, highest, *whose))).fetchone()
            position = None if row is None else row[0]
    rows = [] if position is None else await reader.read(position - 1, 1)
    if not rows:
        raise Refused(f"There is no event {written}.")
    return rows[0]


async def _fact(connection: AsyncConnection, clue: _Clue, start: int, head: int, tenant: str | None) -> int | None:
    for low in range(start, head, _WINDOW):
        arguments = (low, low + _WINDOW, clue.event_id, clue.revision, tenant, tenant)
        row = await (await connection.execute(_FACT, arguments)).fetchone()
        if row is not None:
            return row[0]
    return None


def _range(written: str) -> tuple[UUID, UUID]:
    try:
        event_id = UUID(written)
    except ValueError:
        pass
    else:
        return event_id, event_id
    try:
        return parse_reference(written)
    except ValueError as error:
        raise Refused(str(error)) from error


def _made_at(raw_id: UUID) -> datetime:
    return datetime.fromtimestamp((raw_id.int >> 80) / 1000, UTC)
