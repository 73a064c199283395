"""One life of a decider: goes on where the record says, batch by batch, until something goes wrong."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection, Cursor, OperationalError
from psycopg.rows import DictRow
from psycopg_pool import PoolTimeout

from schemas.event import Undecodable
from services.conversations import lookups, refill
from services.conversations.batch import Batch
from services.conversations.belonging import Rules
from services.conversations.known import Known
from services.conversations.tools import Tools
from services.conversations.touches import TOPICS, Item, is_mail, item_of
from services.deciding import progress, undecided
from services.deciding.progress import Moved, Progress
from services.record.decisions import Decided, Lease
from services.record.errors import Fenced
from services.record.reader import Row

MOST: Final = 500
"""Facts in a batch: one load, one save."""
_CHUNK: Final = 50
_TRIES: Final = 3
_POLL_SECONDS: Final = (0.005, 0.02)
_GATHER_SECONDS: Final = 0.01
"""After a batch: a batch of few costs about what one of many does, and a busy machine has less to do for the same."""
_LOG: Final = structlog.get_logger()


class Session:
    """Ends with an exception, whatever goes wrong; the next session begins from what the record says."""

    def __init__(self, tools: Tools, rules: Rules, held: Lease, told: Progress) -> None:
        """`told` hears how far it is."""
        self._tools: Final = tools
        self._rules: Final = rules
        self._held: Final = held
        self._told: Final = told
        self._position = 0
        self._set_aside: Final[set[UUID]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Decide until `stop`.

        Raises:
            Fenced: another process decides now.
            Moved: the position is not where we left it, or the lookup tables are to be filled again.
            psycopg.OperationalError, PoolTimeout: PostgreSQL is away.
        """
        self._position, version = await progress.begin(self._tools.record, lookups.PLACE)
        if version != lookups.PLACE.lookups:
            await refill.refill(self._tools, self._held, self._position)
        async with self._tools.record.connection() as connection:
            try:
                await self._try_set_aside(connection)
                self._told.looked(self._position, 0)
                await self._batches(connection, stop)
            except BaseException:
                # Of one that failed in the middle of a pipeline psycopg believes what is not so.
                await connection.close()
                raise

    async def _batches(self, connection: AsyncConnection, stop: asyncio.Event) -> None:
        read, wait_seconds = self._tools.reader.read, _POLL_SECONDS[0]
        while not stop.is_set():
            rows = await read(self._position, MOST, topics=TOPICS, opens=is_mail, on=connection)
            if not rows:
                self._told.looked(self._position, 0)
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, _POLL_SECONDS[1])
                continue
            wait_seconds = _POLL_SECONDS[0]
            self._told.waiting_since = rows[0].recorded_at
            await self._work_off(connection, rows)
            if len(rows) < MOST:
                await asyncio.sleep(_GATHER_SECONDS)

    async def _work_off(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Whole if possible; what fails is halved until one fact is left, which is set aside after three tries."""
        parts, tries = deque([rows]), Counter[int]()
        while parts:
            part = parts.popleft()
            try:
                await self._decide(connection, part, part[-1].position)
            except (Fenced, Moved, OperationalError, PoolTimeout):
                raise
            except Exception as error:  # noqa: BLE001 - one fact that we fail on must not stop all others
                tries[part[0].position] += len(part) == 1
                _LOG.warning("conversations.again", facts=len(part), error=type(error).__name__, detail=str(error))
                if len(part) > 1:
                    parts.extendleft([part[len(part) // 2 :], part[: len(part) // 2]])
                elif tries[part[0].position] < _TRIES:
                    parts.appendleft(part)
                else:
                    self._set_aside.add(part[0].subject)
                    await self._decide(connection, part, part[0].position, reason=f"{type(error).__name__}: {error}")

    async def _decide(
        self, connection: AsyncConnection, rows: Sequence[Row], after: int | None, *, reason: str | None = None
    ) -> None:
        """One load, one save. `after` is where the position goes; None leaves it, as for what was set aside before."""
        items: list[Item] = []
        aside: list[tuple[Row, str]] = []
        for number, row in enumerate(rows, 1):
            if row.subject in self._set_aside:
                aside.append((row, reason or "it comes after another of this address that could not be decided"))
                continue
            try:
                item = await item_of(row, self._tools.ring)
            except Undecodable as error:
                aside.append((row, f"no fact that this version knows: {error}"))
                continue
            if item is not None:
                items.append(item)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
        known = await lookups.load(connection, items)
        taken = [row.position for row in rows] if after is None else []
        decided = await asyncio.to_thread(self._save, items, known, aside, after, taken)
        self._told.undecided += len(aside)
        if after is not None:
            self._position = after
            self._told.looked(after, decided)

    def _save(
        self,
        items: Sequence[Item],
        known: Known,
        aside: Sequence[tuple[Row, str]],
        after: int | None,
        taken: Sequence[int],
    ) -> int:
        decided: Sequence[Decided] = Batch(known, self._rules).run(items)
        put, before = lookups.saver(known), self._position

        def within(cursor: Cursor[DictRow]) -> None:
            undecided.take(cursor, lookups.PLACE.name, taken)
            undecided.put(cursor, lookups.PLACE.name, aside)
            put(cursor)
            if after is not None:
                progress.move(cursor, lookups.PLACE, before, after)

        self._tools.decisions.save(decided, lease=self._held, within=within)
        return len(decided)

    async def _try_set_aside(self, connection: AsyncConnection) -> None:
        """What was set aside is tried once more, by a process that may know more; per address, in order."""
        waiting = await undecided.read(self._tools.record, lookups.PLACE.name)
        for subject, positions in waiting.items():
            rows = await self._tools.reader.rows_at(positions)
            try:
                await self._decide(connection, rows, None)
            except (Fenced, Moved, OperationalError, PoolTimeout):
                raise
            except Exception as error:  # noqa: BLE001 - it stays where it is
                _LOG.warning("conversations.undecided", facts=len(rows), error=type(error).__name__, detail=str(error))
                self._set_aside.add(subject)
        self._told.undecided = sum(len(waiting[subject]) for subject in waiting if subject in self._set_aside)
