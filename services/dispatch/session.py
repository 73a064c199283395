"""One life of dispatch: turn by turn, from what the record says, until something goes wrong.

A turn hears the record, takes in how sends ended, starts what is due, and saves it all with the position in one
transaction; only then do the sends begin.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection, Cursor
from psycopg.rows import DictRow

from schemas.event import Undecodable
from services.deciding import progress, undecided
from services.deciding.progress import Progress
from services.dispatch import due, recovering, table
from services.dispatch.commands import Took
from services.dispatch.failing import failures
from services.dispatch.flights import MOST as MOST_FLIGHTS
from services.dispatch.flights import Flight, Landed
from services.dispatch.hearing import TOPICS, Heard, Told, heard, take_in, wanted_for
from services.dispatch.pacing import Pace
from services.dispatch.refill import opens_nothing, refill
from services.dispatch.starting import Starting
from services.dispatch.states import Due
from services.dispatch.tools import Tools
from services.dispatch.turn import Turn
from services.record.decisions import Decided, Lease
from services.record.errors import Conflict
from services.record.reader import Row

MOST: Final = 500
"""Facts in a turn."""
_POLL_SECONDS: Final = (0.005, 0.02)
_GATHER_SECONDS: Final = 0.01
_LOOK_SECONDS: Final = (0.02, 1.0)
_KNOWN_SECONDS: Final = 60.0
_LAND_SECONDS: Final = 3.5
_MOST_CONFLICTS: Final = 10
_LOG: Final = structlog.get_logger()


class Session:
    """Ends with an exception, whatever goes wrong; what is on its way is in `tools.flights`, for the next one."""

    def __init__(self, tools: Tools, held: Lease, told: Progress) -> None:
        """`told` hears how far it is."""
        self._tools: Final = tools
        self._held: Final = held
        self._told: Final = told
        self._position = 0
        self._conflicts = 0
        self._inboxes: set[UUID] = set()
        self._inboxes_until = self._look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch until `stop`.

        Raises:
            Fenced: another process dispatches now.
            Moved: the position is not where we left it, or the tables are to be filled again.
            psycopg.OperationalError, PoolTimeout: PostgreSQL is away.
        """
        self._position, version = await progress.begin(self._tools.record, table.PLACE)
        if version != table.PLACE.lookups:
            await refill(self._tools, self._held, self._position)
        await recovering.set_aside(self._tools, self._held)
        await recovering.interrupted(self._tools, self._held)
        async with self._tools.record.connection() as connection:
            try:
                await self._turns(connection, stop)
            except BaseException:
                # Of one that failed in the middle of a pipeline psycopg believes what is not so.
                await connection.close()
                raise

    async def _turns(self, connection: AsyncConnection, stop: asyncio.Event) -> None:
        wait_seconds = _POLL_SECONDS[0]
        while not stop.is_set():
            decided = await self._turn(connection)
            if decided is None:
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, _POLL_SECONDS[1])
                continue
            wait_seconds = _POLL_SECONDS[0]
            if not (decided or len(self._tools.flights)):
                # Only heard: what comes meanwhile costs no turn of its own.
                await asyncio.sleep(_GATHER_SECONDS)
        await self._tools.flights.end(_LAND_SECONDS)
        await self._turn(connection, starts=False)

    async def _turn(self, connection: AsyncConnection, *, starts: bool = True) -> int | None:
        """How much was decided; None when nothing happened."""
        read = self._tools.reader.read
        rows = await read(self._position, MOST, topics=TOPICS, opens=opens_nothing, on=connection)
        if rows:
            self._told.waiting_since = rows[0].recorded_at
        landed = list(self._tools.flights.landed)
        items, aside = _items(rows)
        wanted = wanted_for(items)
        wanted.messages |= {one.message_id for one in landed}
        wanted.taken |= {one.ended.receipts_as for one in landed if isinstance(one.ended, Took)}
        turn = Turn(await table.load(connection, wanted), self._tools.exits.patience, datetime.now(UTC))
        aside += _take(turn, items, landed)
        # What comes next in the record may be the end of what would begin here.
        flights = await self._look(connection, turn) if starts and len(rows) < MOST else []
        if not (rows or turn.decided or turn.known.changed or landed):
            self._told.looked(self._position, 0)
            return None
        after = rows[-1].position if rows else self._position
        try:
            saved = await asyncio.to_thread(self._save, turn, after, aside)
        except Conflict:
            # Somebody withdrew or judged one of them meanwhile: read that first.
            self._conflicts += 1
            if self._conflicts > _MOST_CONFLICTS:
                # Reading helps no more: the tables are not what the record says.
                await asyncio.to_thread(self._tools.decisions.save, [], lease=self._held, within=_ask_for_refill)
                raise
            return 0
        except Exception:
            self._tools.flights.never_began(flights)
            raise
        self._done(turn, after, saved, len(landed))
        self._launch(flights)
        return saved

    async def _look(self, connection: AsyncConnection, turn: Turn) -> list[Flight]:
        now = time.monotonic()
        changed = {held.course_inbox for held in turn.known.messages.values() if isinstance(held.state, Due)}
        self._inboxes |= {one for one in changed if one is not None}
        if now < self._look_at:
            return []
        if now > self._inboxes_until:
            self._inboxes |= await due.inboxes(connection)
            self._inboxes_until = now + _KNOWN_SECONDS
        left = MOST_FLIGHTS - len(self._tools.flights)
        paces = {one: self._pace(one, now) for one in self._inboxes}
        allowances = {one: min(left, pace.allowance(now)) for one, pace in paces.items()}
        allowed = {one: most for one, most in allowances.items() if most > 0}
        found = await due.look(connection, allowed, turn.now)
        starting = Starting(self._tools, connection, turn)
        await starting.take(found, paces)
        is_held_back = any(most <= 0 for most in allowances.values())
        self._look_at = now + _until(found, turn.now, is_held_back=is_held_back)
        return starting.flights

    def _pace(self, inbox_id: UUID, now: float) -> Pace:
        rate = self._tools.exits.rate(inbox_id)
        pace = self._tools.paces.setdefault(inbox_id, Pace(rate, now))
        pace.rate_per_second = rate
        return pace

    def _save(self, turn: Turn, after: int, aside: Sequence[tuple[Row, str]]) -> int:
        decided: list[Decided] = [*turn.decided, *failures(self._tools.decisions, turn.lost, turn.now)]
        put, before = table.saver(turn.known), self._position

        def within(cursor: Cursor[DictRow]) -> None:
            undecided.put(cursor, table.PLACE.name, aside)
            put(cursor)
            progress.move(cursor, table.PLACE, before, after)

        self._tools.decisions.save(decided, lease=self._held, within=within)
        return len(decided)

    def _done(self, turn: Turn, after: int, decided: int, landed: int) -> None:
        self._conflicts = 0
        self._position = after
        self._tools.flights.saved(landed)
        self._told.looked(after, decided)
        if turn.known.changed or turn.known.gone:
            self._look_at = 0.0

    def _launch(self, flights: Sequence[Flight]) -> None:
        for flight in flights:
            flight.pace.started(1)
        self._tools.flights.launch(flights)


def _ask_for_refill(cursor: Cursor[DictRow]) -> None:
    progress.ask_for_refill(cursor, table.PLACE.name)


def _items(rows: Sequence[Row]) -> tuple[list[Heard], list[tuple[Row, str]]]:
    items: list[Heard] = []
    aside: list[tuple[Row, str]] = []
    for row in rows:
        try:
            item = heard(row)
        except Undecodable as error:
            aside.append((row, f"no fact that this version knows: {error}"))
        else:
            if item is not None:
                items.append(item)
    return items, aside


def _take(turn: Turn, items: Sequence[Heard], landed: Sequence[Landed]) -> list[tuple[Row, str]]:
    """What others decided comes before what we do; a receipt comes after what it is of was handed off."""
    aside = take_in(turn, [item for item in items if isinstance(item, Told)])
    for one in landed:
        if isinstance(one.ended, Took):
            turn.took(one.message_id, one.ended)
        else:
            turn.decide(one.message_id, one.ended)
    take_in(turn, [item for item in items if not isinstance(item, Told)])
    return aside


def _until(found: due.Due, now: datetime, *, is_held_back: bool) -> float:
    """Seconds until the next look, unless something happens before."""
    if found.messages or found.silent or found.settled:
        return 0.0
    if is_held_back:
        return _LOOK_SECONDS[0]
    wait = _LOOK_SECONDS[1] if found.next_at is None else (found.next_at - now).total_seconds()
    return min(max(wait, 0.0), _LOOK_SECONDS[1])
