"""The lines of chats, numbered 1…n in each visitor's thread by their order in the record, and who waits for them.

The number of a line is its rank among the facts of its address, so it is decided by the record alone: whoever numbers,
and however often they die over it, the numbers are the same. Every edge process may number; the cursor's row lets one
do it at a time, and a line that has its number is left out. Nothing here is asked before the commit.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from services.record.reader import Reader, Row

MOST: Final = 100
_LIVE_SECONDS: Final = 0.02
_PAUSE_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 3.0
_PAGE: Final = 5000
_SELDOM: Final = 100_000
_log: Final = structlog.get_logger("chat")

# The clear part is canonical JSON of ours, and no value of a provider can hold a bare quote: this is found in facts of
# the channel alone. Agents' answers on it are such facts too, with the direction "out".
_MARK: Final = b'"channel":"chat/widget"'
# What is there above a position, and whose lines are among it.
_LOOK: Final = """
    SELECT max(position), count(*), array_agg(DISTINCT subject) FILTER (WHERE is_line)
    FROM (SELECT position, subject, type = 'interaction.received' AND position(%s::bytea IN data) > 0 AS is_line
        FROM record.facts WHERE position > %s ORDER BY position LIMIT %s) AS page"""
_LOCK: Final = "SELECT position FROM service.chat_cursor FOR UPDATE"
# After the lock: its snapshot has all that was numbered before. A fact that was parsed again has its number already.
_NUMBER: Final = """
    INSERT INTO service.chat_lines (tenant, address_id, number, event_id, position)
    SELECT tenant, subject, row_number() OVER (PARTITION BY tenant, subject ORDER BY position) + coalesce((
            SELECT max(number) FROM service.chat_lines AS l
            WHERE l.tenant = fresh.tenant AND l.address_id = fresh.subject), 0),
        event_id, position
    FROM (SELECT tenant, subject, event_id, min(position) AS position FROM record.facts AS f
        WHERE position > %s AND position <= %s AND type = 'interaction.received' AND position(%s::bytea IN data) > 0
            AND NOT EXISTS (SELECT FROM service.chat_lines AS l WHERE l.tenant = f.tenant AND l.event_id = f.event_id)
        GROUP BY tenant, subject, event_id) AS fresh"""
_MOVE: Final = "UPDATE service.chat_cursor SET position = %s WHERE position < %s"
_LAST: Final = "SELECT coalesce(max(number), 0) FROM service.chat_lines WHERE tenant = %s AND address_id = %s"
_OF: Final = """
    SELECT address_id, number, event_id, position FROM service.chat_lines WHERE tenant = %s AND event_id = %s"""
_AFTER: Final = """
    SELECT address_id, number, event_id, position FROM service.chat_lines
    WHERE tenant = %s AND address_id = %s AND number > %s ORDER BY number LIMIT %s"""


class Line(NamedTuple):
    """A place in a thread, which is an address's."""

    address_id: UUID
    number: int
    event_id: UUID
    position: int


class Lines:
    """One per process. Methods raise `psycopg.OperationalError` or `TimeoutError` while the record is away."""

    def __init__(self, pool: AsyncConnectionPool, reader: Reader) -> None:
        """`pool` is to RECORD_URL in the role tamas_chat; the reader stands on the same."""
        self._pool: Final = pool
        self._reader: Final = reader
        self._waiting: Final[defaultdict[UUID, set[asyncio.Event]]] = defaultdict(set)
        self._asked: Final = asyncio.Event()
        self._looking: Final = asyncio.Lock()
        self._begun = 0
        self._done = 0
        self._numbered: int | None = None
        """Every line up to this position has its number."""

    @contextlib.contextmanager
    def watched(self, address_id: UUID, news: asyncio.Event) -> Generator[None]:
        """Set `news` whenever this thread may have new lines."""
        self._waiting[address_id].add(news)
        self._asked.set()
        try:
            yield
        finally:
            self._waiting[address_id].discard(news)
            if not self._waiting[address_id]:
                del self._waiting[address_id]

    async def run(self) -> None:
        """Look fifty times a second while anybody waits; until cancelled, through every absence of the database."""
        while True:
            await self._asked.wait()
            try:
                await self.catch_up()
                await asyncio.sleep(_LIVE_SECONDS)
            except (psycopg.Error, OSError, TimeoutError) as error:
                _log.warning("chat.record_away", error=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)
            if not self._waiting:
                self._asked.clear()

    async def catch_up(self) -> None:
        """Number whatever was committed before this call, and wake who waits for it."""
        asked_at = self._begun
        async with asyncio.timeout(_PATIENCE_SECONDS), self._looking:
            if self._done > asked_at:
                return  # one that began after we asked has seen it
            self._begun += 1
            while await self._look():
                pass
            self._done = self._begun

    async def last(self, tenant: str, address_id: UUID) -> int:
        """The last number of a thread, 0 before its first line."""
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            row = await (await connection.execute(_LAST, (tenant, address_id))).fetchone()
        return row[0] if row is not None else 0

    async def of(self, tenant: str, event_id: UUID) -> Line | None:
        """The line of an event; None for one that is no line, or was not numbered yet."""
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            row = await (await connection.execute(_OF, (tenant, event_id))).fetchone()
        return None if row is None else Line(*row)

    async def after(self, tenant: str, address_id: UUID, number: int) -> list[Line]:
        """The next lines of a thread, at most `MOST`."""
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            cursor = await connection.execute(_AFTER, (tenant, address_id, number, MOST))
            return [Line(*row) for row in await cursor.fetchall()]

    async def read(self, lines: Sequence[Line]) -> dict[int, Row]:
        """What the record still has of these, by position."""
        if not lines:
            return {}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return {row.position: row for row in await self._reader.rows_at([line.position for line in lines])}

    async def _look(self) -> bool:
        """One page of the record; True when there may be another."""
        async with self._pool.connection() as connection:
            if self._numbered is None:
                row = await (await connection.execute("SELECT position FROM service.chat_cursor")).fetchone()
                self._numbered = row[0] if row is not None else 0
            above: int = self._numbered or 0
            found = await (await connection.execute(_LOOK, (_MARK, above, _PAGE))).fetchone()
            if found is None or found[0] is None:
                return False
            head, count, subjects = found
            if subjects or head // _SELDOM > above // _SELDOM:
                await self._number(connection, above, head)
        self._numbered = head
        for address_id in subjects or ():
            for news in self._waiting.get(address_id, ()):
                news.set()
        return count == _PAGE

    async def _number(self, connection: psycopg.AsyncConnection, above: int, head: int) -> None:
        async with connection.transaction():
            row = await (await connection.execute(_LOCK)).fetchone()
            above = max(above, row[0] if row is not None else 0)
            await connection.execute(_NUMBER, (above, head, _MARK))
            await connection.execute(_MOVE, (head, head))
