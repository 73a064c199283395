"""Visitors at widget sockets: all of them in one process of its own. Started by `Visitors`."""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Self
from uuid import uuid4

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

_V1 = Subprotocol("tamas.chat.v1")
_PER_SOURCE = 200
"""What the edge allows to one address; more come from other addresses of this machine."""
_AT_ONCE = 20
_TEXT = "سلام، سفارش من هنوز نرسیده است. شماره پیگیری ۸۸۲۱۴"
_PATIENCE_SECONDS = 10.0


class Visitors:
    """They come when told, stay, and go at the end of the `with` block."""

    def __init__(self, url: str, path: str) -> None:
        """`path` is that of the chat."""
        command = [sys.executable, "-m", "tests.bench.visitors", url.replace("http", "ws", 1) + path + "/socket"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def come(self, number: int) -> None:
        """So many more sockets, each of somebody new; returns once all are welcome."""
        self.tell(come=number)
        self.heard()

    def talk(self, number: int, rate: float, seconds: float) -> "Talk":
        """The first so many write in turn, `rate` messages a second in all; returns once each has its ack."""
        self.begin(number, rate, seconds)
        return self.ended()

    def begin(self, number: int, rate: float, seconds: float) -> None:
        """As `talk`, without waiting."""
        self.tell(talkers=number, rate=rate, seconds=seconds)

    def ended(self) -> "Talk":
        """Wait for what was begun."""
        return Talk(**self.heard())

    def names(self, number: int) -> list[str]:
        """Of the first so many."""
        self.tell(names=number)
        return self.heard()["names"]

    def answered(self, number: int) -> dict[str, float]:
        """Wait for so many answers of ours; returns when each came (`time.perf_counter`), by its text."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            self.tell(answers=number)
            found: dict[str, float] = self.heard()["answers"]
            if len(found) >= number:
                return found
            assert time.monotonic() < deadline, f"{len(found)} of {number} answers came"
            time.sleep(0.1)

    def tell(self, **what: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@dataclass(frozen=True)
class Talk:
    """Seconds from when a message was to be sent to its ack, which comes after the commit."""

    messages: int
    p50: float
    p99: float


class _Visitor:
    def __init__(self, socket: ClientConnection, name: str) -> None:
        self._socket = socket
        self.name = name
        self.answers: dict[str, float] = {}
        self._acks: dict[str, asyncio.Future[float]] = {}
        self.reading = asyncio.create_task(self._read())

    async def writes(self) -> float:
        """Returns when the ack came."""
        message_id = str(uuid4())
        acked = self._acks[message_id] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"t": "message", "id": message_id, "text": _TEXT}))
        return await asyncio.wait_for(acked, _PATIENCE_SECONDS)

    async def _read(self) -> None:
        async for frame in self._socket:
            told = json.loads(frame)
            if told.get("from") == "agent":
                self.answers[told["text"]] = time.perf_counter()
                await self._socket.send(json.dumps({"t": "seen", "number": told["number"]}))
                continue
            assert told["t"] == "ack", told
            self._acks.pop(told["id"]).set_result(time.perf_counter())


async def _come(url: str, number: int) -> _Visitor:
    source = f"127.0.0.{2 + number // _PER_SOURCE}"
    # The server's own pings find out who has left.
    socket = await connect(
        url, subprotocols=[_V1], proxy=None, ping_interval=None, compression=None, local_addr=(source, 0)
    )
    await socket.send(json.dumps({"t": "hello", "visitor": None, "proof": None, "after": 0}))
    welcome = json.loads(await socket.recv())
    assert welcome["t"] == "welcome"
    return _Visitor(socket, welcome["visitor"])


async def _all_come(url: str, visitors: list[_Visitor], number: int) -> None:
    while number > 0:
        wave = min(number, _AT_ONCE)
        visitors += await asyncio.gather(*(_come(url, len(visitors) + place) for place in range(wave)))
        number -= wave


async def _talk(visitors: Sequence[_Visitor], rate: float, seconds: float) -> Talk:
    began, waiting = time.perf_counter(), list[tuple[float, asyncio.Task[float]]]()
    for number in count():
        intended = began + number / rate
        if intended > began + seconds:
            break
        await asyncio.sleep(max(0.0, intended - time.perf_counter()))
        waiting.append((intended, asyncio.create_task(visitors[number % len(visitors)].writes())))
    took = sorted([await task - intended for intended, task in waiting])
    return Talk(len(took), took[len(took) // 2], took[len(took) * 99 // 100])


async def _serve(url: str) -> None:
    visitors: list[_Visitor] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if "come" in asked:
            await _all_come(url, visitors, asked["come"])
            gc.collect()
            gc.freeze()
            told = {"sockets": len(visitors)}
        elif "names" in asked:
            told = {"names": [one.name for one in visitors[: asked["names"]]]}
        elif "answers" in asked:
            told = {"answers": {text: at for one in visitors for text, at in one.answers.items()}}
        else:
            told = asdict(await _talk(visitors[: asked["talkers"]], asked["rate"], asked["seconds"]))
        assert not any(one.reading.done() for one in visitors), "a socket was closed"
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
