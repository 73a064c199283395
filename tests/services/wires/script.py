"""A mail server that does as it is told: at each step a reply, a broken connection, or silence."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

BREAK, SILENCE = "break", "silence"
_REPLIES = {
    "connect": "220 mx.example ESMTP",
    "EHLO": "250-mx.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 100000",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 Go on",
    "end": "250 2.0.0 Taken",
    "RSET": "250 2.0.0 Ok",
}


@dataclass
class Script:
    """`steps` by command, those with `1:` before it only on the first connection; `content` breaks within the mail."""

    steps: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    connections: int = 0
    commands: list[str] = field(default_factory=list[str])
    taken: list[bytes] = field(default_factory=list[bytes])
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            await self._reply(writer, "connect")
            while line := await reader.readline():
                command = line.decode().strip()
                self.commands.append(command)
                word = command[:4].upper()
                await self._reply(writer, word)
                if word == "DATA" and self._step(word).startswith("354"):
                    self.taken.append(await self._mail(reader))
                    await self._reply(writer, "end")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _mail(self, reader: asyncio.StreamReader) -> bytes:
        if self.steps.get("content") == BREAK:
            await reader.readline()
            raise ConnectionError
        return (await reader.readuntil(b"\r\n.\r\n"))[:-3]

    async def _reply(self, writer: asyncio.StreamWriter, step: str) -> None:
        said = self._step(step)
        if said == BREAK:
            raise ConnectionError
        if said == SILENCE:
            await asyncio.Event().wait()
        writer.write(said.encode() + b"\r\n")
        await writer.drain()

    def _step(self, step: str) -> str:
        first = self.steps.get(f"1:{step}") if self.connections == 1 else None
        return first or self.steps.get(step) or _REPLIES.get(step, "502 5.5.1 What?")


@asynccontextmanager
async def scripted(steps: Mapping[str, str] | None = None) -> AsyncGenerator[Script]:
    script = Script(steps or {})
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, limit=1 << 20)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for writer in script.writers:
            writer.transport.abort()
