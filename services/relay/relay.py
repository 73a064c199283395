"""The relay: publishes the record on Kafka in its order, under a lease, through every absence of either server."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import structlog
from aiokafka import TopicPartition
from psycopg_pool import AsyncConnectionPool

from services import lease, topics
from services.pause import pause
from services.record.errors import Fenced
from services.record.reader import Reader
from services.relay.cursor import Cursor, claim, is_new
from services.relay.session import Session, Shrunk
from services.settings import Settings

_STANDBY_SECONDS: Final = 0.5
_BACK_OFF_SECONDS: Final = (0.2, 2.0)
_STALE_SECONDS: Final = 8.0
_STOP_SECONDS: Final = 5.0
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Status:
    """`ok`: publishing, or standing by for another relay that does. `detail` says why it is not.

    Everything up to `position` is on the broker, as was last seen `age_seconds` ago; `head` is the record's end.
    """

    ok: bool
    position: int
    head: int
    age_seconds: float
    detail: str


class Relay:
    """One per process and topic prefix. Any number may run: one publishes, the others stand by."""

    def __init__(self, settings: Settings, pool: AsyncConnectionPool, reader: Reader) -> None:
        """`pool` is to RECORD_URL in the role of the relay."""
        self._settings: Final = settings
        self._pool: Final = pool
        self._reader: Final = reader
        self._lease: Final = f"relay:{settings.topic_prefix}"
        self._holder: Final = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._position = 0
        self.published = 0
        """Events that this process published."""
        self._head = 0
        self._seen_at = time.monotonic()
        self._detail = "starting"
        self._ready: Callable[[], None] | None = None

    def status(self) -> Status:
        """For /readyz and metrics; never waits."""
        age = time.monotonic() - self._seen_at
        if not self._detail and age > _STALE_SECONDS:
            return Status(False, self._position, self._head, age, f"nothing was published or checked for {age:.0f} s")
        return Status(not self._detail, self._position, self._head, age, self._detail)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Until `stop`. `ready` is called once, when it publishes or stands by for the first time."""
        self._ready = ready
        watching = asyncio.create_task(self._watch_head())
        try:
            while not stop.is_set():
                epoch = await self._acquire()
                if epoch is None:
                    await pause(stop, _STANDBY_SECONDS)
                else:
                    await self._lead(epoch, stop)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _acquire(self) -> int | None:
        try:
            epoch = await lease.acquire(self._pool, self._lease, self._holder)
            if epoch is None:
                self._saw((await self._cursor_position()) or 0, 0)
        except (psycopg.Error, OSError) as error:
            self._failed(error)
            return None
        return epoch

    async def _lead(self, epoch: int, stop: asyncio.Event) -> None:
        _log.info("relay.leads", epoch=epoch, holder=self._holder)
        renewing = asyncio.create_task(self._keep_renewing(epoch))
        publishing = asyncio.create_task(self._sessions(epoch, stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([renewing, publishing, stopping], return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await asyncio.wait([publishing], timeout=_STOP_SECONDS)
        finally:
            for task in (renewing, publishing, stopping):
                task.cancel()
            await asyncio.gather(renewing, publishing, stopping, return_exceptions=True)
            await self._let_go(epoch)

    async def _sessions(self, epoch: int, stop: asyncio.Event) -> None:
        doubted: dict[TopicPartition, int] = {}
        back_off = _BACK_OFF_SECONDS[0]
        while not stop.is_set():
            began = time.monotonic()
            try:
                cursor = await self._claim(epoch)
                await Session(self._settings, self._reader, cursor, self._saw).run(stop, doubted)
            except Shrunk as error:
                _log.warning("relay.shrunk", error=str(error))
                doubted = error.offsets
                continue
            except Fenced as error:
                _log.info("relay.fenced", reason=str(error))
                return
            except Exception as error:  # noqa: BLE001 - nothing may end the relay: it tells, waits and begins again
                self._failed(error)
            if time.monotonic() - began > _STALE_SECONDS:
                back_off, doubted = _BACK_OFF_SECONDS[0], {}
            await pause(stop, back_off)
            back_off = min(back_off * 2, _BACK_OFF_SECONDS[1])

    async def _claim(self, epoch: int) -> Cursor:
        first = 0
        if await is_new(self._pool, self._settings.topic_prefix):
            first = await self._reader.position_at(datetime.now(UTC) - timedelta(seconds=topics.RETENTION_SECONDS))
        cursor = await claim(self._pool, self._settings.topic_prefix, epoch, first=first)
        if first:
            # What is older than the topics' retention is not published: no partition may claim to begin the record.
            partitions = range(self._settings.topic_partitions)
            names = topics.names(self._settings)
            await cursor.move(first, {TopicPartition(name, n): first for name in names for n in partitions})
        return cursor

    async def _keep_renewing(self, epoch: int) -> None:
        while True:
            await asyncio.sleep(lease.RENEW_SECONDS)
            try:
                await lease.renew(self._pool, self._lease, epoch)
            except Fenced as error:
                _log.info("relay.fenced", reason=str(error))
                return
            except (psycopg.Error, OSError) as error:
                self._failed(error)

    async def _let_go(self, epoch: int) -> None:
        try:
            await lease.release(self._pool, self._lease, epoch)
        except (psycopg.Error, OSError) as error:
            _log.info("relay.lease_not_released", error=type(error).__name__)

    async def _watch_head(self) -> None:
        while True:
            try:
                self._head = max(await self._reader.head(), self._position)
            except (psycopg.Error, OSError) as error:
                _log.debug("relay.no_head", error=type(error).__name__)
            await asyncio.sleep(1)

    async def _cursor_position(self) -> int | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT position FROM service.relay_cursor WHERE prefix = %s", (self._settings.topic_prefix,)
            )
            row = await cursor.fetchone()
        return None if row is None else row[0]

    def _saw(self, position: int, published: int) -> None:
        self.published += published
        self._position, self._head = position, max(position, self._head)
        self._seen_at, self._detail = time.monotonic(), ""
        if self._ready is not None:
            self._ready()
            self._ready = None

    def _failed(self, error: BaseException) -> None:
        self._detail = f"{type(error).__name__}: {error}"
        _log.warning("relay.away", error=type(error).__name__, detail=str(error))
