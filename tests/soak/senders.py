"""Those who send: a process of its own with kept connections. Told on stdin how many twenties it may have sent by now;
tells on stdout four times a second what was accepted."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.soak import mix
from tests.soak.mix import HTTP, MAILBOX, SHARES, Doors

_POSTERS, _MAILERS, _CHATTERS = 48, 8, 24
_MESSAGES = 25
"""Of one visitor: fewer than the chat takes at once."""
_TELL_SECONDS = 0.25
_AGAIN_SECONDS = 0.2
_One = TypeVar("_One")
_TEXT = "سلام، سفارش من کی می‌رسد؟ Where is my parcel, please?"


@dataclass
class _Allowed:
    """How much of each way may be begun by now."""

    total: int
    http: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    mail: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    chat: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    twenties: int = 0

    def raise_to(self, twenties: int) -> None:
        for way, share in ((self.http, HTTP), (self.mail, SHARES["mail"]), (self.chat, SHARES["chat"])):
            for _ in range((twenties - self.twenties) * share):
                way.release()
            if twenties == self.total:
                # Everyone learns that there is no more.
                for _ in range(_POSTERS + _MAILERS + _CHATTERS):
                    way.release()
        self.twenties = twenties


class _Senders:
    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._allowed = _Allowed(doors.twenties)
        self._requests = mix.requests(doors)
        self._letters = mix.letters(doors)
        self._numbers = iter(range(doors.twenties * SHARES["chat"]))
        self.accepted: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()

    async def run(self) -> None:
        """Ends when all is accepted."""
        hearing, telling = asyncio.create_task(self._hear()), asyncio.create_task(self._keep_telling())
        async with asyncio.TaskGroup() as group:
            for count, one in ((_POSTERS, self._post), (_MAILERS, self._mail), (_CHATTERS, self._chat)):
                for _ in range(count):
                    group.create_task(one())
        for task in (hearing, telling):
            task.cancel()
        self._tell(over=True)

    async def _hear(self) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self._allowed.raise_to(int(line))
        sys.exit("whoever started this is gone")

    async def _keep_telling(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(_TELL_SECONDS)

    def _tell(self, *, over: bool = False) -> None:
        print(json.dumps({"accepted": self.accepted, "answers": self.answers, "over": over}), flush=True)

    async def _post(self) -> None:
        host, _, port = self._doors.http.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async for kind, request in _taken(self._allowed.http, self._requests):
            while (status := await _answered(reader, writer, request)) not in ("200", "202"):
                self.answers[status] += 1
                await asyncio.sleep(_AGAIN_SECONDS)
            self.answers[status] += 1
            if kind:
                self.accepted[kind] += 1
        writer.close()

    async def _mail(self) -> None:
        host, _, port = self._doors.smtp.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()
        await _asked(reader, writer, b"HELO mx.example.com\r\n")
        async for sender, letter in _taken(self._allowed.mail, self._letters):
            while True:
                await _asked(reader, writer, f"MAIL FROM:<{sender}>\r\n".encode())
                await _asked(reader, writer, f"RCPT TO:<{MAILBOX}>\r\n".encode())
                await _asked(reader, writer, b"DATA\r\n")
                answer = await _asked(reader, writer, letter.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
                self.answers[answer[:3]] += 1
                if answer.startswith("250"):
                    break
                await asyncio.sleep(_AGAIN_SECONDS)
            self.accepted["mail"] += 1
        writer.close()

    async def _chat(self) -> None:
        url = f"{self._doors.http.replace('http', 'ws', 1)}{self._doors.chat}/socket"
        numbers = _taken(self._allowed.chat, self._numbers)
        async for first in numbers:
            async with connect(
                url, subprotocols=[Subprotocol("tamas.chat.v1")], proxy=None, compression=None
            ) as socket:
                await _told(socket, {"t": "hello", "visitor": None, "proof": None, "after": 0}, "welcome")
                await self._say(socket, first)
                for _ in range(_MESSAGES - 1):
                    if (number := await anext(numbers, None)) is None:
                        break
                    await self._say(socket, number)

    async def _say(self, socket: ClientConnection, number: int) -> None:
        message = {"t": "message", "id": str(uuid4()), "text": f"{_TEXT} {number}"}
        await _told(socket, message, "ack")
        self.answers["ack"] += 1
        self.accepted["chat"] += 1


async def _taken(allowed: asyncio.Semaphore, stream: Iterator[_One]) -> AsyncGenerator[_One]:
    """One after the other, each as soon as it is allowed; ends with the stream."""
    while True:
        await allowed.acquire()
        found = next(stream, None)
        if found is None:
            return
        yield found


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> str:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    if length:
        await reader.readexactly(length)
    return head[9:12].decode()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> str:
    writer.write(words)
    return (await reader.readline()).decode()


async def _told(socket: ClientConnection, frame: dict[str, Any], wanted: str) -> None:
    await socket.send(orjson.dumps(frame).decode())
    while (told := orjson.loads(await socket.recv()))["t"] != wanted:
        assert told["t"] != "error", told


if __name__ == "__main__":
    uvloop.run(_Senders(Doors(**json.loads(sys.stdin.readline()))).run())
