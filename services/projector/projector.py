"""Keeps the read models of one set filled, and fills new versions of them beside the old."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
import structlog
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from projections.contract import Projection
from projections.registry import SETS, topics_of
from services.consume import Records, Subscription
from services.metrics.meters import watch
from services.projector import generations
from services.projector.fold import Fold
from services.projector.member import Member
from services.projector.positions import ensure, load
from services.projector.rebuild import Filling, fill_new_version
from services.projector.sources import Sources
from services.record.reader import Reader
from services.settings import Settings

_T = TypeVar("_T")
DEFAULT_SET: Final = "views"
_TICK_SECONDS: Final = 0.025
_GATHERS_SECONDS: Final = {"search": 0.2}
"""So long a set that nobody watches waits after a batch and between looks: fewer and larger ones are less work."""
_CHECK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 10.0
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Status:
    """`ok` = it looks at the record, and moves. Everything up to `position` is in; `head` is the record's end."""

    ok: bool
    position: int
    head: int
    from_record: bool
    partitions: int
    detail: str


class Projector:
    """One per process and set. Any number may run; each partition is read by one of them."""

    def __init__(
        self,
        settings: Settings,
        views: AsyncConnectionPool,
        record: AsyncConnectionPool,
        reader: Reader,
        stop: asyncio.Event,
        *,
        name: str = DEFAULT_SET,
        projections: tuple[Projection, ...] | None = None,
    ) -> None:
        """`projections` are those of the registry unless given."""
        self._settings: Final = settings
        self._views: Final = views
        self._reader: Final = reader
        self._stop: Final = stop
        self._name: Final = name
        self._projections: Final = SETS[name] if projections is None else projections
        self._topics: Final = topics_of(self._projections)
        self._fold: Final = Fold(views, name, self._targets, stop)
        self._sources: Final = Sources(
            settings, self._fold, reader=reader, record=record, topics=self._topics, stop=stop
        )
        self._failure: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._subscription: Subscription | None = None
        self._seen_at = time.monotonic()

    def tell(self) -> None:
        """Tell the numbers of this set."""
        name, fold = (self._name,), self._fold
        watch("tamas_projector_events", lambda: {name: fold.events})
        watch("tamas_projector_batch_seconds", lambda: {name: fold.seconds})
        watch("tamas_projector_from_record", lambda: {name: self._sources.from_record})

    def status(self) -> Status:
        """For /readyz and metrics; never waits."""
        age = time.monotonic() - self._seen_at
        detail = f"neither the record nor the views answered for {age:.0f} s" if age > _STALE_SECONDS else ""
        if self._failure.done():
            detail = "it has stopped, see its log"
        partitions = 0 if self._subscription is None else self._subscription.assigned()
        sources = self._sources
        return Status(not detail, self._fold.lowest, sources.head, sources.from_record, partitions, detail)

    async def run(self, ready: Callable[[], None]) -> None:
        """Until stopped. `ready` is called once it knows its positions and has looked at the record.

        Raises:
            TooMuchPoison, Superseded, UnknownPartition: a person has to act.
        """
        missing = await self._patiently(self._prepare)
        work: list[Coroutine[Any, Any, Any]] = [self._tick(ready), self._stop.wait()]
        if self._settings.bootstrap():
            work.append(self._subscribe())
        if missing:
            work.append(self._fill(missing))
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await _first_end([*tasks, self._failure], self._stop)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._failure.cancel()

    async def _prepare(self) -> list[Projection]:
        """Positions and first generations; returns the read models that need to be filled beside."""
        async with self._views.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (generations.FILLS,))
            is_first = not await load(connection, self._name)
            await ensure(connection, self._name, self._topics, self._settings.topic_partitions)
            found = await generations.live(connection)
            missing = [one for one in self._projections if generations.serving(one, found) is None]
            if is_first:
                for projection in [one for one in missing if one.name not in found]:
                    await generations.create(connection, projection, state="live")
                    missing.remove(projection)
        await self._fold.reload()
        return missing

    async def _targets(self, connection: AsyncConnection) -> list[tuple[Projection, str]]:
        found = await generations.live(connection)
        served = [(projection, generations.serving(projection, found)) for projection in self._projections]
        return [(projection, generation.schema) for projection, generation in served if generation is not None]

    async def _tick(self, ready: Callable[[], None]) -> None:
        is_ready = False
        while True:
            try:
                await self._sources.tick()
            except psycopg.OperationalError as error:
                _log.info("projector.database_away", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._seen_at = time.monotonic()
            if not is_ready:
                is_ready = True
                ready()
            await asyncio.sleep(_GATHERS_SECONDS.get(self._name, _TICK_SECONDS))

    async def _subscribe(self) -> None:
        """Stay a member of the group, through every absence of the broker."""
        while True:
            member = await self._patiently(lambda: Member.take(self._settings.views_url, self._name))
            self._subscription = subscription = Subscription(
                self._settings,
                group=f"{self._settings.topic_prefix}{self._name}",
                member=member.name,
                topics=[self._settings.topic_prefix + topic for topic in self._topics],
                take=self._take,
                hints=self._sources.hints,
            )
            try:
                await subscription.start()
                while True:
                    await asyncio.sleep(_CHECK_SECONDS)
                    await member.check()
            except (KafkaError, OSError, psycopg.OperationalError) as error:
                _log.info("projector.not_subscribed", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                await subscription.stop()
                await member.release()

    async def _take(self, records: Records) -> None:
        # FastStream swallows what a handler raises, and goes on with the next batch: never after a failure.
        if self._failure.done():
            return
        try:
            await self._sources.take(records)
            await asyncio.sleep(_GATHERS_SECONDS.get(self._name, 0.0))
        except Exception as error:  # noqa: BLE001 - handed to `run`
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _fill(self, missing: list[Projection]) -> None:
        for projection in missing:
            await self._patiently(
                lambda projection=projection: fill_new_version(
                    Filling(self._settings, self._views, self._reader, self._name, projection, stop=self._stop)
                )
            )
        await self._stop.wait()

    async def _patiently(self, act: Callable[[], Awaitable[_T]]) -> _T:
        while True:
            try:
                return await act()
            except psycopg.OperationalError as error:
                _log.info("projector.database_away", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)


async def _first_end(tasks: list[asyncio.Future[Any]], stop: asyncio.Event) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        for task in done:
            task.result()
