"""Dispatch against a provider on this machine, beside the same HTTP client that only posts."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from services.settings import Settings
from services.wires.http import HttpWire
from tests.bench.figures import Figure, paired
from tests.bench.stand import Servers
from tests.services.dispatch.asking import asking, dispatching
from tests.services.dispatch.provider import Provider

_ROUNDS = 5
_MESSAGES = 500
_AT_ONCE = 8


def dispatch(found: Servers) -> list[Figure]:
    """Messages of as many conversations, all due at once; posted bare by a few tasks: httpx slows with many."""
    ours: list[float] = []
    bare: list[float] = []
    cpu: list[float] = []
    bare_cpu: list[float] = []
    with _provider() as url:
        for number in range(_ROUNDS + 1):
            theirs, seconds = _run(_posted(url)), _run(_dispatched(found.settings(), url))
            if number:
                bare.append(_MESSAGES / theirs[0])
                ours.append(_MESSAGES / seconds[0])
                cpu.append(seconds[1] / _MESSAGES * 1e6)
                bare_cpu.append(theirs[1] / _MESSAGES * 1e6)
    return [
        paired("dispatch, one inbox", ours, bare, "sent/s", "the same client posting", "≥ 0.6"),
        paired("dispatch, CPU of its process", cpu, bare_cpu, "µs/sent", "the same client posting"),
    ]


def _run(work: Coroutine[Any, Any, tuple[float, float]]) -> tuple[float, float]:
    return asyncio.run(work)


async def _posted(url: str) -> tuple[float, float]:
    wire, left = HttpWire(), iter(range(_MESSAGES))
    body = json.dumps({"message_id": str(uuid4()), "to": "tel:+989121234567", "text": _TEXT}).encode()

    async def post() -> None:
        for _ in left:
            await wire.post(url, body=body, headers=())

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[post() for _ in range(_AT_ONCE)])
    took = time.perf_counter() - began, time.process_time() - cpu
    await wire.close()
    return took


async def _dispatched(settings: Settings, url: str) -> tuple[float, float]:
    async with asking(settings, rate_per_second="10000") as house:
        conversations = await house.open_all(_MESSAGES)
        await house.ask_all([(_TEXT, one) for one in conversations])
        async with dispatching(settings, Provider(url)) as leader:
            began, cpu = time.perf_counter(), time.process_time()
            while leader.progress.decided < 2 * _MESSAGES:  # noqa: ASYNC110 - nobody signals it
                await asyncio.sleep(0.005)
            return time.perf_counter() - began, time.process_time() - cpu


@contextmanager
def _provider() -> Generator[str]:
    command = [sys.executable, "-m", "tests.bench.dispatch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


async def _serve() -> None:
    from tests.services.dispatch.provider import providing  # noqa: PLC0415 - only the child needs a server

    async with providing() as provider:
        print(provider.url, flush=True)
        await asyncio.Event().wait()


_TEXT = "سلام، سفارش شما فردا پیش از ظهر به نشانی شما می‌رسد."

if __name__ == "__main__":
    asyncio.run(_serve())
