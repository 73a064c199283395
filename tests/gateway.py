"""A way to a server that a test can close, or let fall silent, while the server itself serves others."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from services.settings import Settings


class Gateway:
    """Forwards TCP. Closed: it ends connections and refuses new ones. Silent: it takes all, and answers nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._server: asyncio.Server | None = None
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """As the restart of a server does it."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def silence(self) -> None:
        self._speaks.clear()

    def speak(self) -> None:
        self._speaks.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            there = await asyncio.open_connection(*self._to)
            self._open |= {writer, there[1]}
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._speaks.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncGenerator[tuple[Gateway, Settings]]:
    """An open one to PostgreSQL, and settings that go through it."""
    parts = urlsplit(settings.database_url)
    assert parts.hostname is not None
    assert parts.port is not None
    made = Gateway(parts.hostname, parts.port)
    await made.open()
    url = settings.database_url.replace(f":{parts.port}/", f":{made.port}/")
    names = ("database_url", "record_url", "views_url", "keys_url")
    try:
        yield made, settings.model_copy(update=dict.fromkeys(names, url))
    finally:
        made.speak()
        made.close()
