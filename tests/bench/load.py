"""The load: raw connections in a process of its own, with requests that were signed before. Started by `Load`."""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from tests.bench.traffic import posts


@dataclass(frozen=True)
class Spec:
    """Closed loop: every connection sends its next request at its answer, for `seconds`; the first `warm_seconds` of
    them count for nothing but CPU. Open loop: `rate` a second in bursts, whatever the answers do."""

    url: str
    path: str
    seconds: float
    most: int
    connections: int = 128
    warm_seconds: float = 0.5
    rate: int = 0
    burst: int = 20
    customers: int = 10_000
    beside: tuple[str, ...] = ()
    """Paths of other doors that get their share of the posts, see `posts`."""
    timed: str = ""
    """Only answers that hold this are counted and timed."""


@dataclass(frozen=True)
class Outcome:
    """After the warm-up: answers a second, and latencies in seconds. `answered` counts all answers by status."""

    rate: float
    answered: dict[str, int]
    p50: float
    p99: float

    @property
    def accepted(self) -> int:
        return sum(self.answered.values())


class Load:
    """Made and signed when constructed; `run` sends it. A JSON form is answered by 202, everything else by 200."""

    def __init__(self, spec: Spec) -> None:
        command = [sys.executable, "-m", "tests.bench.load"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._tell(json.dumps(asdict(spec)))
        assert self._out.readline() == "signed\n"

    def run(self) -> Outcome:
        """Send, wait, and report. Another answer than 200 or 202 fails the bench."""
        self._tell("go")
        outcome = Outcome(**json.loads(self._out.readline()))
        self._in.close()
        self._process.wait()
        assert outcome.answered.keys() <= {"200", "202"}, f"not everything was accepted: {outcome.answered}"
        return outcome

    def _tell(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()


@dataclass
class _Run:
    spec: Spec
    requests: Iterator[bytes]
    timed: bytes
    ends_at: float = 0.0
    answered: Counter[str] = field(default_factory=Counter[str])
    latencies: list[float] = field(default_factory=list[float])
    finished_at: list[float] = field(default_factory=list[float])
    free: deque["_Connection"] = field(default_factory=deque["_Connection"])
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque[tuple[float, bytes]])
    open: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run, ended: asyncio.Event) -> None:
        self._run = run
        self._ended = ended
        self._read = b""
        self._length = 0
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, since: float) -> None:
        self._since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        # Answers of one server are of one length: the client must not cost what the servers are measured by.
        if self._read or len(data) != self._length or data[9:12] != b"200":
            self._read += data
            head, found, body = self._read.partition(b"\r\n\r\n")
            if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
                return
            data, self._read, self._length = self._read, b"", len(self._read)
        now = time.perf_counter()
        self._run.answered[data[9:12].decode()] += 1
        if self._run.timed in data:
            self._run.latencies.append(now - self._since)
            self._run.finished_at.append(now)
        self._next(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or not self._ended.is_set():
            self._run.answered["connection lost"] += 1
            self._ended.set()

    def _next(self, now: float) -> None:
        run = self._run
        if run.spec.rate:
            if run.waiting:
                since, request = run.waiting.popleft()
                self.send(request, since)
            else:
                run.free.append(self)
            run.open -= 1
        elif now < run.ends_at and (request := next(run.requests, None)) is not None:
            self.send(request, now)
            return
        else:
            run.open -= 1
        if run.open == 0 and (now > run.ends_at or not run.spec.rate):
            self._ended.set()


async def _send(spec: Spec, requests: list[bytes]) -> Outcome:
    run, ended = _Run(spec, iter(requests), spec.timed.encode()), asyncio.Event()
    host, _, port = spec.url.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    for _ in range(spec.connections):
        _, connection = await loop.create_connection(lambda: _Connection(run, ended), host, int(port))
        run.free.append(connection)
    began = time.perf_counter()
    run.ends_at = began + spec.seconds
    await (_open_loop(run, began) if spec.rate else _closed_loop(run, began))
    async with asyncio.timeout(30):
        await ended.wait()
    counted_from = began + spec.warm_seconds
    counted = sorted(took for at, took in zip(run.finished_at, run.latencies, strict=True) if at >= counted_from)
    rate = len(counted) / (run.finished_at[-1] - counted_from)
    return Outcome(rate, dict(run.answered), counted[len(counted) // 2], counted[len(counted) * 99 // 100])


async def _closed_loop(run: _Run, began: float) -> None:
    run.open = len(run.free)
    while run.free:
        run.free.popleft().send(next(run.requests), began)


async def _open_loop(run: _Run, began: float) -> None:
    pause = run.spec.burst / run.spec.rate
    bursts = int(run.spec.seconds / pause)
    # Timers go by whole milliseconds: late by half of one on average, which counts as latency for everyone.
    for number in range(bursts):
        intended = began + number * pause
        await asyncio.sleep(max(0.0, intended - time.perf_counter()))
        for _ in range(run.spec.burst):
            run.open += 1
            request = next(run.requests)
            if run.free:
                run.free.popleft().send(request, intended)
            else:
                run.waiting.append((intended, request))
    run.ends_at = time.perf_counter()


def _main() -> None:
    spec = Spec(**json.loads(sys.stdin.readline()))
    requests = list(posts(spec.url, spec.path, spec.most, spec.customers, tuple(spec.beside)))
    gc.freeze()
    gc.disable()
    print("signed", flush=True)
    sys.stdin.readline()
    print(json.dumps(asdict(uvloop.run(_send(spec, requests)))), flush=True)


if __name__ == "__main__":
    _main()
