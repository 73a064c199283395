"""Posts to a door at one pace whatever it answers, each with its times."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_CONNECTIONS = 32


class Client:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connected(cls, url: str) -> Self:
        host, _, port = url.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, request: bytes) -> bytes:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        return await self._reader.readexactly(int(length))

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True, slots=True)
class Posted:
    """Of one post, by `time.perf_counter`: when it was to be sent, and when its 2xx was here."""

    sent_at: float
    accepted_at: float


async def posted(url: str, requests: Sequence[bytes], rate: float) -> list[Posted]:
    """So many a second, in this order; returns once all are accepted."""
    clients = [await Client.connected(url) for _ in range(_CONNECTIONS)]
    free, asked = asyncio.Queue[Client](), list[asyncio.Task[Posted]]()
    for client in clients:
        free.put_nowait(client)
    began = time.perf_counter()
    for number, request in enumerate(requests):
        intended = began + number / rate
        await asyncio.sleep(max(0.0, intended - time.perf_counter()))
        asked.append(asyncio.create_task(_post(await free.get(), free, request, intended)))
    found = await asyncio.gather(*asked)
    for client in clients:
        client.close()
    return found


async def _post(client: Client, free: asyncio.Queue[Client], request: bytes, intended: float) -> Posted:
    await client.ask(request)
    accepted = time.perf_counter()
    free.put_nowait(client)
    return Posted(intended, accepted)
