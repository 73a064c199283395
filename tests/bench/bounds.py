"""What parsing costs at the worst: crafted requests of 64 KB for every channel, and crafted mails of 25 MB."""

import gc
import time
from contextlib import suppress
from typing import Final

from channels.contract import Channel, InboundRequest
from channels.errors import Malformed
from tests.bench.figures import Figure, single
from tests.channels.hostile import HOSTILE
from tests.channels.samples import channel

_SMALL: Final = 65_536
_LARGE: Final = 25 * 1024 * 1024
_SUSPECTS: Final = 10
_MORE_TRIES: Final = 2
"""So often the ones that took longest are measured again: the machine is not ours alone."""


def bounds() -> list[Figure]:
    """CPU time of `parse` by the kind of request that costs most, the best of three tries of each."""
    found = [_worst(name, f"crafted 64 KB for {name}", _SMALL, 1000, "ms", "≤ 50") for name in sorted(HOSTILE)]
    return [*found, _worst("email/smtp", "crafted 25 MB for email/smtp", _LARGE, 1, "s", "≤ 2")]


def _worst(name: str, about: str, size: int, per_second: int, unit: str, goal: str) -> Figure:
    one = channel(name)
    costs = {kind: _seconds(one, make(size)) for kind, make in HOSTILE[name].items()}
    for kind in sorted(costs, key=lambda kind: -costs[kind])[:_SUSPECTS]:
        request = HOSTILE[name][kind](size)
        costs[kind] = min(costs[kind], *(_seconds(one, request) for _ in range(_MORE_TRIES)))
    kind = max(costs, key=lambda kind: costs[kind])
    return single(f"worst of {len(costs)} {about}: {kind}", [costs[kind] * per_second], unit, goal)


def _seconds(one: Channel, request: InboundRequest) -> float:
    gc.collect()
    began = time.process_time()
    with suppress(Malformed):
        one.parse(request)
    return time.process_time() - began
