"""A projector in this process, and one that can be killed."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from psycopg import AsyncConnection

from projections.contract import Projection
from projections.generation import position
from projections.timeline.projection import TIMELINE
from services.projector.app import run
from services.projector.projector import Projector
from services.settings import Settings, load
from tests.servers import SECRET
from tests.services.projector.counting import COUNTING

WAIT_SECONDS = 40.0
BOTH = (TIMELINE, COUNTING)


@asynccontextmanager
async def projector(settings: Settings, projections: tuple[Projection, ...] = BOTH) -> AsyncGenerator[Projector]:
    """Run the service until the block ends; what it raises is raised here."""
    stop, ready = asyncio.Event(), asyncio.Event()
    found: list[Projector] = []
    task = asyncio.ensure_future(run(settings, stop, ready.set, started=found.append, projections=projections))
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED, timeout=WAIT_SECONDS)
    waiting.cancel()
    try:
        if ready.is_set():
            yield found[0]
        else:
            await task
    finally:
        stop.set()
        await task


def killable(settings: Settings) -> subprocess.Popen[bytes]:
    """The same service in a process of its own."""
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TAMAS_TOPIC_PREFIX": settings.topic_prefix,
        "TAMAS_TOPIC_PARTITIONS": str(settings.topic_partitions),
        "TAMAS_SECRET_KEY": SECRET,
    }
    return subprocess.Popen([sys.executable, "-m", "tests.services.projector.running"], env=environment)


async def reached(settings: Settings, wanted: int, within_seconds: float = WAIT_SECONDS) -> float:
    """Wait until the set is at this position; returns how long that took."""
    began = time.monotonic()
    async with await AsyncConnection.connect(settings.views_url, autocommit=True) as connection:
        while (at := await position(connection, "views")) < wanted:
            assert time.monotonic() - began < within_seconds, f"still at {at} of {wanted}"
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def eventually(is_true: Callable[[], Awaitable[bool] | bool], within_seconds: float = WAIT_SECONDS) -> None:
    """Wait until it is."""
    began = time.monotonic()
    while True:
        answer = is_true()
        if answer is True or (not isinstance(answer, bool) and await answer):
            return
        assert time.monotonic() - began < within_seconds
        await asyncio.sleep(0.02)


async def assigned(running: Projector, partitions: int = 12) -> None:
    """Wait until it reads topics."""
    await eventually(lambda: running.status().partitions == partitions)


if __name__ == "__main__":
    asyncio.run(run(load(), asyncio.Event(), lambda: None, projections=BOTH))
