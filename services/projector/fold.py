"""One batch, one transaction: positions compared and swapped, events applied, what cannot be applied set aside."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeAlias
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from projections.contract import Projection
from projections.generation import enter
from schemas.event import Event
from services.log_reader import Entry
from services.metrics.catalogue import SECONDS
from services.metrics.meters import Histogram
from services.projector.batch import Batch, Gap, Parked, decode, held_subjects, park
from services.projector.poison import Guard, Source, Tally
from services.projector.positions import At, Moved, Place, load, move
from services.tracing.setting import CURRENT

Targets: TypeAlias = Callable[[AsyncConnection], Awaitable[Sequence[tuple[Projection, str]]]]
"""Asked in each transaction: which read models to apply to, and the schema of each."""

TRIES: Final = 3
_TRY_SECONDS: Final = 0.1
_BACK_OFF_SECONDS: Final = (0.05, 2.0)
# Connection, rollback asked for, resources, lock not available, operator's hand, system (PostgreSQL, appendix A).
_TRANSIENT: Final = frozenset({"08", "40", "53", "55", "57", "58"})
_log: Final = structlog.get_logger()


class Broken(Exception):
    """A read model fails on an event that is valid: a bug of ours."""


class Fold:
    """Moves one set of read models forward. Not for concurrent calls."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        projection_set: str,
        targets: Targets,
        stop: asyncio.Event,
        *,
        parks_bugs: bool = True,
    ) -> None:
        """`pool` is to VIEWS_URL. Without `parks_bugs`, a bug ends in `Broken`: for filling a new generation."""
        self._pool: Final = pool
        self._set: Final = projection_set
        self._targets: Final = targets
        self._stop: Final = stop
        self._parks_bugs: Final = parks_bugs
        self._guard: Final = Guard()
        self._held: set[UUID] = set()
        self._published: tuple[int, dict[Place, int]] = (0, {})
        self.at: dict[Place, At] = {}
        self.events = 0
        self.seconds: Final = Histogram(SECONDS)

    @property
    def lowest(self) -> int:
        """Everything up to here is in."""
        return min((at.position for at in self.at.values()), default=0)

    async def reload(self) -> None:
        """Read the positions, and what is held back, from the database."""
        async with self._pool.connection() as connection:
            self.at = await load(connection, self._set)
            self._held = set(await held_subjects(connection, self._set))

    async def fold(self, entries: Sequence[Entry], upto: int | None = None, *, gaps: bool = False) -> None:
        """Bring these entries in, each once, whatever it takes; returns early only when told to stop.

        `upto`: they are from the record, and with them everything up to this position is in. `gaps`: the record has
        been read to its end, so that what is missing before them is nowhere.

        Raises:
            Gap: they don't follow what is in, or no longer: a crash of PostgreSQL took back commits that were not
                synced yet.
            TooMuchPoison, Superseded: this process has to stop.
            Broken: see `parks_bugs`.
        """
        back_off, known = _BACK_OFF_SECONDS[0], dict(self.at)
        while not self._stop.is_set():
            if any(self.at[place].position < at.position for place, at in known.items()):
                raise Gap
            try:
                batch = Batch(entries, upto).fresh(self.at, gaps=gaps)
                if batch.entries or batch.moves(self.at):
                    await self._bring_in(batch)
            except Moved:
                await asyncio.sleep(0)
            except (psycopg.Error, PoolTimeout) as error:
                if not is_transient(error):
                    raise
                _log.warning("projector.waits", error=type(error).__name__, seconds=back_off)
                await asyncio.sleep(back_off)
                back_off = min(back_off * 2, _BACK_OFF_SECONDS[1])
            else:
                return
            await self._reload_if_possible()

    def saw(self, position: int, published: dict[Place, int]) -> None:
        """The relay is at `position`, and each partition holds this as its last record (0: none)."""
        self._published = (position, published)

    async def keep_up(self) -> None:
        """Let partitions that hold nothing new count as being where the relay is; every batch does it as it goes."""
        after = self._idle()
        if not after:
            return
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await move(connection, self._set, self.at, after)
        except Moved:
            await self.reload()
        else:
            self._move(after)

    def _idle(self) -> dict[Place, At]:
        position, published = self._published
        return {
            place: At(position) for place, at in self.at.items() if published.get(place, 0) <= at.position < position
        }

    async def _bring_in(self, batch: Batch) -> None:
        try:
            await self._write(batch)
        except Broken as error:
            if len(batch.entries) > 1:
                for half in batch.halves():
                    await self._bring_in(half)
            elif not self._parks_bugs:
                raise Broken(f"{error} (position {batch.entries[0].position})") from error
            else:
                await self._try_again_then_park(batch, error)

    async def _try_again_then_park(self, batch: Batch, error: Broken) -> None:
        for attempt in range(1, TRIES):
            await asyncio.sleep(_TRY_SECONDS * attempt)
            try:
                await self._write(batch)
            except Broken as again:
                error = again
            else:
                return
        entry = batch.entries[0]
        _log.error("projector.parked", topic=entry.topic, position=entry.position, error=str(error))
        await self._write(batch, bug=str(error))

    async def _write(self, batch: Batch, bug: str | None = None) -> None:
        events, parked = await decode(batch.entries, self._held)
        if bug is not None:
            parked += [Parked(batch.entries[0], bug, event.subject) for event in events]
            events = []
        tallies = self._weighed(batch, events, parked, bug)
        after, began = self._idle() | batch.moves(self.at), time.monotonic()
        with self._traced(batch):
            async with self._pool.connection() as connection, connection.transaction():
                if after:
                    await move(connection, self._set, self.at, after)
                await self._apply(connection, events)
                if parked:
                    await park(connection, self._set, parked)
        self.seconds.observe(time.monotonic() - began)
        self.events += len(events)
        self._guard.accept(tallies)
        self._held.update(one.subject for one in parked if one.subject is not None)
        self._move(after)

    def _traced(self, batch: Batch) -> AbstractContextManager[object]:
        traces = CURRENT.get()
        if traces is None or not batch.entries:
            return nullcontext()
        return traces.batch("projector", [entry.traceparent for entry in batch.entries], events=len(batch.entries))

    def _weighed(
        self, batch: Batch, events: Sequence[Event], parked: Sequence[Parked], bug: str | None
    ) -> dict[Source, Tally]:
        if not parked:
            return self._guard.passed(Counter((event.topic, event.tenant) for event in events))
        # What only waits behind a parked event is no new sign of trouble.
        aside = {id(one.entry) for one in parked if one.subject is None or bug is not None}
        return self._guard.weigh(((one.topic, one.tenant), id(one) in aside) for one in batch.entries)

    async def _apply(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        for projection, schema in await self._targets(connection):
            await enter(connection, schema)
            wanted = [event for event in events if event.topic in projection.topics]
            try:
                await projection.apply(wanted, connection)
            except Exception as error:
                if isinstance(error, psycopg.Error) and is_transient(error):
                    raise
                raise Broken(f"{projection.name} fails on an event: {_without_values(error)}") from error

    def _move(self, after: dict[Place, At]) -> None:
        for place, at in after.items():
            self.at[place] = At(at.position, self.at[place].offset if at.offset is None else at.offset)

    async def _reload_if_possible(self) -> None:
        try:
            await self.reload()
        except (psycopg.Error, PoolTimeout) as error:
            # What we believe may be old: then the next try ends in Moved.
            _log.info("projector.positions_away", error=type(error).__name__)


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may well succeed later."""
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return error.sqlstate[:2] in _TRANSIENT
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout))


def _without_values(error: Exception) -> str:
    # The messages of PostgreSQL and pydantic quote values, which may be personal.
    return type(error).__name__
