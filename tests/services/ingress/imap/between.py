"""A relay of bytes between us and an IMAP server, that can lose what is said from a certain command on."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Between:
    """`held` is set once a command with `word` came and was not passed on; then nothing passes, and nobody is told."""

    def __init__(
        self, port: int, word: bytes | None, breaks: re.Pattern[bytes] | None, instead: tuple[bytes, bytes] | None
    ) -> None:
        self._port = port
        self.word = word
        self.instead = instead
        self._breaks = breaks
        self.held = asyncio.Event()
        self.commands: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [self._pass(reader, there[1], ours=True), self._pass(there[0], writer, ours=False)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for one in (writer, there[1]):
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, ours: bool) -> None:
        while some := await reader.read(1 << 16):
            if ours:
                self.commands.append(some)
                if self.word is not None and self.word in some:
                    self.held.set()
                if self._breaks is not None and self._breaks.search(some):
                    break
                some = some.replace(*self.instead) if self.instead else some
            if self.held.is_set():
                # As a router that has forgotten the connection: silence, not an end.
                await asyncio.sleep(3600)
            writer.write(some)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def between(
    port: int,
    word: bytes | None = None,
    *,
    breaks: re.Pattern[bytes] | None = None,
    instead: tuple[bytes, bytes] | None = None,
) -> AsyncGenerator[Between]:
    """Listening in front of this port; `word` may be set later. `breaks`: a command at which the connection ends.

    `instead`: words that the server gets other ones for.
    """
    made = Between(port, word, breaks, instead)
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(made.serve(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
