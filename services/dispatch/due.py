"""What the clock asks for: messages whose turn it is, silence that lasted too long, doubts that a receipt settles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.dispatch.known import Held
from services.dispatch.table import COLUMNS, held_of

# Of each inbox as many as it may send now. A message waits for those of its conversation that were asked for before.
_DUE: Final = f"""
    SELECT m.* FROM unnest(%s::uuid[], %s::int[]) AS wanted (inbox_id, most)
    CROSS JOIN LATERAL (
        SELECT {COLUMNS} FROM service.messages AS m
        WHERE m.inbox_id = wanted.inbox_id AND m.state = 'due' AND m.due_at <= %s
            AND NOT EXISTS (
                SELECT FROM service.messages AS earlier
                WHERE earlier.conversation_id = m.conversation_id AND earlier.place < m.place
                    AND earlier.state IN ('asked', 'due', 'started'))
        ORDER BY m.due_at, m.place LIMIT wanted.most) AS m"""
_NEXT: Final = "SELECT min(due_at) FROM service.messages WHERE state = 'due' AND due_at > %s"
_SILENT: Final = f"""
    SELECT {COLUMNS} FROM service.messages AS m WHERE m.fallback_at <= %s ORDER BY m.fallback_at LIMIT 50"""
# One receipt that nothing else explains, one message that nobody knows the end of: they belong together.
_SETTLED: Final = f"""
    SELECT (array_agg(DISTINCT e.receipts_as))[1], {COLUMNS}
    FROM service.messages AS m
    JOIN service.early_receipts AS e
        ON e.address_id = m.to_id AND e.inbox_id = m.inbox_id AND e.recorded_at >= m.started_at
    WHERE m.state = 'in_doubt' AND NOT EXISTS (
        SELECT FROM service.messages AS other
        WHERE other.to_id = m.to_id AND other.inbox_id = m.inbox_id AND other.message_id <> m.message_id
            AND other.state IN ('started', 'in_doubt'))
    GROUP BY m.message_id HAVING count(DISTINCT e.receipts_as) = 1 LIMIT 50"""
_INBOXES: Final = "SELECT DISTINCT inbox_id FROM service.messages WHERE state = 'due'"
_STARTED: Final = "SELECT message_id FROM service.messages WHERE state = 'started'"
_WITHOUT_RECEIVER: Final = """
    SELECT message_id FROM service.messages
    WHERE to_id IS NULL AND (state IN ('started', 'in_doubt') OR fallback_at IS NOT NULL)"""
_STATES: Final = """
    SELECT state, count(*), min(due_at) FILTER (WHERE state = 'due') FROM service.messages GROUP BY state"""


@dataclass(slots=True)
class Due:
    """What was found at one look. `settled`: by what receipts name them. `next_at`: something is due then, not yet."""

    messages: dict[UUID, Held] = field(default_factory=dict[UUID, Held])
    silent: dict[UUID, Held] = field(default_factory=dict[UUID, Held])
    settled: dict[UUID, tuple[UUID, Held]] = field(default_factory=dict[UUID, tuple[UUID, Held]])
    next_at: datetime | None = None


async def look(connection: AsyncConnection, allowances: Mapping[UUID, int], now: datetime) -> Due:
    """In one trip. `allowances` are how many each inbox may start."""
    found = Due()
    async with connection.pipeline():
        arguments = (list(allowances), list(allowances.values()), now)
        due = await connection.execute(_DUE.encode(), arguments, binary=True)
        silent = await connection.execute(_SILENT.encode(), (now,), binary=True)
        settled = await connection.execute(_SETTLED.encode(), binary=True)
        following = await connection.execute(_NEXT, (now,))
    found.messages.update(held_of(row) for row in await due.fetchall())
    found.silent.update(held_of(row) for row in await silent.fetchall())
    for receipts_as, *of in await settled.fetchall():
        message_id, held = held_of(of)
        found.settled[message_id] = receipts_as, held
    row = await following.fetchone()
    found.next_at = None if row is None else row[0]
    return found


async def inboxes(connection: AsyncConnection) -> set[UUID]:
    """Those that have anything to send."""
    return {row[0] for row in await (await connection.execute(_INBOXES)).fetchall()}


async def started(pool: AsyncConnectionPool) -> list[UUID]:
    """Messages whose attempt has no end in the record."""
    return [row[0] for row in await _all(pool, _STARTED)]


async def without_receiver(pool: AsyncConnectionPool) -> list[UUID]:
    """Messages of which it matters whom they went to, and is not known."""
    return [row[0] for row in await _all(pool, _WITHOUT_RECEIVER)]


async def states(pool: AsyncConnectionPool) -> tuple[dict[str, int], datetime | None]:
    """How many messages there are of each state, and since when the oldest one is due."""
    rows = await _all(pool, _STATES)
    return {state: count for state, count, _ in rows}, next((at for _, _, at in rows if at is not None), None)


async def _all(pool: AsyncConnectionPool, query: str) -> list[tuple[Any, ...]]:
    async with pool.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()
