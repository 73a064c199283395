"""The lines of chats, numbered 1…n in each visitor's thread by their order in the record, and who waits for them.

A line is a visitor's message, or one of ours at the position where it was handed off. Its number is its rank in the
thread, so it is decided by the record alone: whoever numbers, and however often they die over it, it is the same. Every
edge process may number; the cursor's row lets one do it at a time, and a line that has its number is left out. Nothing
here is asked before the commit.
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

from services.ingress.chat_answers import Answer, Answers
from services.keys.ring import Ring
from services.record.reader import Reader, Row

MOST: Final = 100
_LIVE_SECONDS: Final = 0.02
_PAUSE_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 3.0
_PAGE: Final = 5000
_SELDOM: Final = 100_000
_log: Final = structlog.get_logger("chat")

# The clear part is canonical JSON of ours, and no value of a provider can hold a bare quote: this is found in facts and
# decisions about the channel alone.
_MARK: Final = b'"channel":"chat/widget"'
# What is there above a position: whose lines are among it, and which messages of ours may be.
_LOOK: Final = """
    SELECT heard.*, ours.* FROM (
        SELECT max(position), count(*), array_agg(DISTINCT subject) FILTER (WHERE is_line)
        FROM (SELECT position, subject,
                type = 'interaction.received' AND position(%(mark)s::bytea IN data) > 0 AS is_line
            FROM record.facts WHERE position > %(above)s ORDER BY position LIMIT %(page)s) AS page
    ) AS heard, (
        SELECT max(position), count(*), array_agg(originator_id) FILTER (WHERE EXISTS (
            SELECT FROM record.decisions AS way
            WHERE way.originator_id = page.originator_id AND way.type = 'message.resolved'
                AND position(%(mark)s::bytea IN way.state) > 0))
        FROM (SELECT position, originator_id FROM record.decisions
            WHERE position > %(above)s AND type = 'message.handed_off' ORDER BY position LIMIT %(most)s) AS page
    ) AS ours"""
_LOCK: Final = "SELECT position FROM service.chat_cursor FOR UPDATE"
# After the lock: its snapshot has all that was numbered before. A fact that was parsed again has its number already.
_NUMBER: Final = """
    INSERT INTO service.chat_lines (tenant, address_id, number, event_id, position, ours)
    SELECT tenant, subject, row_number() OVER (PARTITION BY tenant, subject ORDER BY position) + coalesce((
            SELECT max(number) FROM service.chat_lines AS l
            WHERE l.tenant = fresh.tenant AND l.address_id = fresh.subject), 0),
        event_id, position, ours
    FROM (SELECT tenant, subject, event_id, min(position) AS position, ours FROM (
            SELECT tenant, subject, event_id, position, false AS ours FROM record.facts
            WHERE position > %(above)s AND position <= %(head)s AND type = 'interaction.received'
                AND position(%(mark)s::bytea IN data) > 0
            UNION ALL SELECT tenant, thread, message_id, position, true FROM unnest(
                %(tenants)s::text[], %(threads)s::uuid[], %(messages)s::uuid[], %(positions)s::bigint[]
            ) AS answers (tenant, thread, message_id, position)
        ) AS said
        WHERE NOT EXISTS (
            SELECT FROM service.chat_lines AS l WHERE l.tenant = said.tenant AND l.event_id = said.event_id)
        GROUP BY tenant, subject, event_id, ours) AS fresh"""
_MOVE: Final = "UPDATE service.chat_cursor SET position = %s WHERE position < %s"
_OF: Final = """
    SELECT address_id, number, event_id, position, ours FROM service.chat_lines WHERE tenant = %s AND event_id = %s"""
_AFTER: Final = """
    SELECT address_id, number, event_id, position, ours FROM service.chat_lines
    WHERE tenant = %s AND address_id = %s AND number > %s ORDER BY number LIMIT %s"""


class Line(NamedTuple):
    """A place in a thread, which is an address's. The `event_id` of one of `ours` is its message_id."""

    address_id: UUID
    number: int
    event_id: UUID
    position: int
    ours: bool


class _Page(NamedTuple):
    """What a look found: facts and hand-offs, up to where and how many; whose lines, and which messages."""

    heard_to: int | None
    heard: int
    subjects: list[UUID] | None
    handed_off_to: int | None
    handed_off: int
    message_ids: list[UUID] | None

    @property
    def full(self) -> list[int]:
        """The ends of what may go on beyond it."""
        both = ((self.heard_to, self.heard, _PAGE), (self.handed_off_to, self.handed_off, MOST))
        return [end for end, count, most in both if end is not None and count == most]

    @property
    def end(self) -> int | None:
        """Up to here all is found."""
        if self.full:
            return min(self.full)
        return max((end for end in (self.heard_to, self.handed_off_to) if end is not None), default=None)


class Lines:
    """One per process. Methods raise `psycopg.OperationalError` or `TimeoutError` while the record is away."""

    def __init__(self, pool: AsyncConnectionPool, reader: Reader, ring: Ring) -> None:
        """`pool` is to RECORD_URL in the role tamas_chat; the reader stands on the same."""
        self._pool: Final = pool
        self._reader: Final = reader
        self._answers: Final = Answers(reader, ring)
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
            except Exception:  # noqa: BLE001 - told to the log
                # Whatever one row does to us, others wait for theirs.
                _log.exception("chat.not_numbered")
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

    async def read(self, lines: Sequence[Line]) -> dict[UUID, list[Row]]:
        """What the record still has of each, by its event_id: its fact, or all decisions about a message of ours."""
        heard = {line.position: line.event_id for line in lines if not line.ours}
        ours = [line.event_id for line in lines if line.ours]
        found: defaultdict[UUID, list[Row]] = defaultdict(list)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for row in await self._reader.rows_at(heard) if heard else ():
                found[heard[row.position]].append(row)
            for row in await self._reader.streams(ours) if ours else ():
                found[row.subject].append(row)
        return found

    async def _look(self) -> bool:
        """One page of the record; True when there may be another."""
        async with self._pool.connection() as connection:
            if self._numbered is None:
                row = await (await connection.execute("SELECT position FROM service.chat_cursor")).fetchone()
                self._numbered = row[0] if row is not None else 0
            above: int = self._numbered or 0
            asked = {"mark": _MARK, "above": above, "page": _PAGE, "most": MOST}
            [found] = await (await connection.execute(_LOOK, asked)).fetchall()
            page = _Page(*found)
            if page.end is None:
                return False
            answers = await self._answers.threads(page.message_ids) if page.message_ids else []
            if page.subjects or answers or page.end // _SELDOM > above // _SELDOM:
                await self._number(connection, above, page.end, [one for one in answers if one[0].position <= page.end])
        self._numbered = page.end
        for address_id in {*(page.subjects or ()), *(thread for _, thread in answers)}:
            for news in self._waiting.get(address_id, ()):
                news.set()
        return bool(page.full)

    async def _number(
        self, connection: psycopg.AsyncConnection, above: int, head: int, answers: Sequence[tuple[Answer, UUID]]
    ) -> None:
        async with connection.transaction():
            row = await (await connection.execute(_LOCK)).fetchone()
            fresh = {
                "above": max(above, row[0] if row is not None else 0),
                "head": head,
                "mark": _MARK,
                "tenants": [answer.tenant for answer, _ in answers],
                "threads": [thread for _, thread in answers],
                "messages": [answer.message_id for answer, _ in answers],
                "positions": [answer.position for answer, _ in answers],
            }
            await connection.execute(_NUMBER, fresh)
            await connection.execute(_MOVE, (head, head))
