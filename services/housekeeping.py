"""What has to be done now and then: partitions made ahead of the facts and days that need them, and a look around."""

import asyncio
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from services import state
from services.metrics.meters import Numbers, watch
from services.migrate import ensure_partitions
from services.pause import pause
from services.settings import Settings

_EVERY_SECONDS: Final = 900.0
_LOOK_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 10.0
_LOG: Final = structlog.get_logger("housekeeping")


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Until `stop`; a database that is away is asked again at the next round (a week is always made ahead)."""
    looking = asyncio.create_task(Watch(settings).run(stop))
    ready()
    while not stop.is_set():
        try:
            await asyncio.to_thread(_partitions, settings.record_url)
        except psycopg.Error as error:
            _LOG.warning("partitions could not be made ahead", error=type(error).__name__)
        await pause(stop, _EVERY_SECONDS)
    await looking


class Watch:
    """Looks at the databases, the broker and the disk every five seconds, and tells what it saw last."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is told of a database that is away, but that it is."""
        self._settings: Final = settings
        self._state: state.State | None = None
        self._reached: dict[str, bool] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        self._tell()
        while not stop.is_set():
            try:
                await self._look()
            except (psycopg.Error, TimeoutError) as error:
                _LOG.warning("the state could not be read", error=type(error).__name__)
            await pause(stop, _LOOK_SECONDS)

    async def _look(self) -> None:
        settings = self._settings
        databases = {"record": settings.record_url, "views": settings.views_url, "keys": settings.keys_url}
        # As a rule they are one, which is asked once.
        answers = {url: await asyncio.to_thread(state.is_reached, url) for url in set(databases.values())}
        reached = {name: answers[url] for name, url in databases.items()}
        if settings.bootstrap():
            reached["broker"] = await state.is_broker_reached(settings)
        self._reached, self._state = reached, None
        if reached["record"] and reached["views"]:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self._state = await asyncio.to_thread(state.read, settings)

    def _tell(self) -> None:
        watch("tamas_server_reached", lambda: {(name,): is_there for name, is_there in self._reached.items()})
        watch("tamas_disk_free_bytes", lambda: {(): state.disk(self._settings.data)[0]})
        watch("tamas_disk_bytes", lambda: {(): state.disk(self._settings.data)[1]})
        for name, read in _READ.items():
            watch(name, lambda read=read: {} if self._state is None else read(self._state))


_READ: Final[dict[str, Callable[[state.State], Numbers]]] = {
    "tamas_record_position": lambda now: {(): now.head},
    "tamas_relay_lag_seconds": lambda now: {(): now.relay_lag_seconds or 0.0},
    "tamas_pending_requests": lambda now: {(): now.pending},
    "tamas_parked_requests": lambda now: {(one.tenant, one.inbox_id, one.stage): one.requests for one in now.parked},
    "tamas_oldest_waiting_seconds": lambda now: {
        ("pending",): now.pending_seconds or 0.0,
        ("parked",): now.parked_seconds or 0.0,
    },
    "tamas_projection_lag_seconds": lambda now: {(one.name,): one.lag_seconds for one in now.sets},
    "tamas_projection_position": lambda now: {(one.name,): one.position for one in now.sets},
    "tamas_projection_parked_events": lambda now: {(one.name,): one.parked for one in now.sets},
}


def _partitions(url: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        ensure_partitions(connection)
