"""The application behind a socket: only there an answer comes in pieces."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from services.serve import address_of, bound, serve
from services.settings import Settings
from tests.services.api.house import House, opened

_Made = TypeVar("_Made")


@asynccontextmanager
async def socket_of(house: House, stop: asyncio.Event | None = None) -> AsyncGenerator[str]:
    """Its URL."""
    taken, stop = bound("127.0.0.1:0"), stop or asyncio.Event()
    serving = asyncio.create_task(serve(house.app, taken, stop))
    yield f"http://{address_of(taken)}"
    house.app.state.runtime.closing.set()
    stop.set()
    await serving


@contextmanager
def running(settings: Settings, prepare: Callable[[House], Awaitable[_Made]]) -> Generator[tuple[str, House, _Made]]:
    """In a thread, for tests that are synchronous: its URL, itself, and what `prepare` made."""
    told: list[tuple[str, House, _Made]] = []
    is_up, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serving() -> None:
        async with opened(settings, searching=True) as house, socket_of(house, stop) as url:
            told.append((url, house, await prepare(house)))
            is_up.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serving(),))
    thread.start()
    try:
        assert is_up.wait(30)
        yield told[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
