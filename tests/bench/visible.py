"""From a message's acceptance to its place in the timeline API, at 500 a second, with everything running."""

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import quote

from services.tenancy.tokens import add_token
from tests.bench.door import Client
from tests.bench.figures import Figure, single
from tests.bench.load import Load, Spec
from tests.bench.stand import TENANT, Servers, add_inbox, whole
from tests.bench.traffic import message

_ROUNDS = 5
_SECONDS = 10.0
_RATE = 500
_PROBES_A_SECOND = 25
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.01


def visible(found: Servers) -> list[Figure]:
    """A probe of its own customer every 40 ms among the load; each asks the API every 10 ms until it is there."""
    settings = found.settings()
    with whole(settings):
        path, url = add_inbox(settings), f"http://{settings.http_listen}"
        _, secret = add_token(settings.record_url, TENANT, "bench", "agent", None)
        rounds: list[Sequence[float]] = []
        for number in range(_ROUNDS):
            load = Load(Spec(url, path, _SECONDS + 2, int((_SECONDS + 2) * _RATE) + 5, rate=_RATE, burst=5))
            first = number * int(_SECONDS * _PROBES_A_SECOND)
            rounds.append(sorted(asyncio.run(_probed(load, url, path, secret, first))))
    about = f"accept → visible in the API at {_RATE}/s"
    return [
        single(f"{about}, median", [took[len(took) // 2] * 1000 for took in rounds], "ms"),
        single(f"{about}, p99", [took[len(took) * 99 // 100] * 1000 for took in rounds], "ms", "≤ 100"),
    ]


async def _probed(load: Load, url: str, path: str, secret: str, first: int) -> Sequence[float]:
    running = asyncio.create_task(asyncio.to_thread(load.run))
    await asyncio.sleep(1)
    probes: list[asyncio.Task[float]] = []
    for number in range(int(_SECONDS * _PROBES_A_SECOND)):
        probes.append(asyncio.create_task(_probe(url, path, secret, first + number)))
        await asyncio.sleep(1 / _PROBES_A_SECOND)
    took = await asyncio.gather(*probes)
    await running
    return took


async def _probe(url: str, path: str, secret: str, number: int) -> float:
    sender = f"+98935{number:07}"
    door = await Client.connected(url)
    await door.ask(message(url, path, sender))
    accepted = time.perf_counter()
    asked = (
        f"GET /api/v1/timeline?address=tel:{quote(sender)} HTTP/1.1\r\nHost: tamas\r\n"
        f"Authorization: Bearer {secret}\r\n\r\n"
    )
    while b'"interaction_id"' not in await door.ask(asked.encode()):
        assert time.perf_counter() - accepted < _PATIENCE_SECONDS, "a message did not become visible"
        await asyncio.sleep(_PAUSE_SECONDS)
    took = time.perf_counter() - accepted
    door.close()
    return took
