"""What has to be done now and then: partitions made ahead of the facts and the days that will need them."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from services.migrate import ensure_partitions
from services.settings import Settings

_EVERY_SECONDS: Final = 900.0
_LOG: Final = structlog.get_logger("housekeeping")


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Until `stop`; a database that is away is asked again at the next round (a week is always made ahead)."""
    ready()
    while not stop.is_set():
        try:
            await asyncio.to_thread(_partitions, settings.record_url)
        except psycopg.Error as error:
            _LOG.warning("partitions could not be made ahead", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await stop.wait()


def _partitions(url: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        ensure_partitions(connection)
