"""A TCP gate before PostgreSQL, which a test may cut, or through which it lets nothing pass for a while."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Gate:
    """Forwards connections to a server."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.asks = asyncio.Event()
        self.answers = asyncio.Event()
        self.is_cut = False
        self.thaw()

    def freeze(self, *, asks: bool = True) -> None:
        """Neither side hears of the other any more; with `asks=False` the server still hears, and is not heard."""
        self.answers.clear()
        if asks:
            self.asks.clear()

    def thaw(self) -> None:
        self.asks.set()
        self.answers.set()

    def cut(self) -> None:
        """End every connection and take no other."""
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._there)
        self._writers |= {writer, far_writer}
        both = (self._pass(reader, far_writer, self.asks), self._pass(far_reader, writer, self.answers))
        self._tasks |= (tasks := {asyncio.create_task(one) for one in both})
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for one in (writer, far_writer):
            one.transport.abort()
        self._writers -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_: asyncio.Event) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                await open_.wait()
                writer.write(part)
                await writer.drain()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def gate_before(url: str) -> AsyncGenerator[tuple[Gate, str]]:
    """The gate, and the URL that leads through it."""
    parts = urlsplit(url)
    gate = Gate(parts.hostname or "", parts.port or 5432)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    try:
        user = parts.netloc.rpartition("@")[0]
        yield gate, urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"))
    finally:
        await gate.close()
        server.close()
