"""One parser, hunted for some time in a process of its own."""

import mmap
import pickle
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from channels.contract import InboundRequest
from tests.channels.samples import SAMPLES, channel
from tests.fuzz.judge import Verdict, digest, judge, shape
from tests.fuzz.lines import Lines
from tests.fuzz.mutation import MOST_BYTES, broken, genuine
from tests.fuzz.seeds import seeds
from tests.fuzz.shrink import keep, smallest

AT_HAND_BYTES: Final = 2 * MOST_BYTES
_MOST_POOL: Final = 20_000
_MOST_FAULTS: Final = 10
_TRACED: Final = 4
"""One in four requests is watched for new lines, which takes three times as long; another one is read twice."""

_MOST_POOL_BYTES: Final = 32 * 1024
"""Larger ones cost the time of many."""

_TOLD_SECONDS: Final = 1.0


@dataclass(slots=True)
class Hunted:
    """What has become of a hunt so far. `faults`: each with the file of its smallest request."""

    name: str
    seed: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    lines: int = 0
    pool: int = 0
    counted: Counter[str] = field(default_factory=Counter[str])
    faults: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    is_done: bool = False


class Hunt:
    """Breaks requests at random; those that lead to new lines or new kinds of facts are broken further."""

    def __init__(self, name: str, seed: int, at_hand: mmap.mmap | None = None) -> None:
        """`at_hand` shows the request at hand to whoever finds this process dead or stuck."""
        self.hunted: Final = Hunted(name, seed)
        self.pool: Final = list(seeds(name))
        self._good: Final = list(SAMPLES[name].genuine)
        self._parser: Final = channel(name)
        self._chance: Final = Random(seed)  # noqa: S311 - a repeatable choice
        self._lines: Final = Lines()
        self._shapes: Final[set[tuple[object, ...]]] = set()
        self._at_hand: Final = at_hand

    def run(self, seconds: float, tell: Callable[[Hunted], None]) -> None:
        """All seeds as they are, then broken ones until the time is over."""
        started, cpu = time.monotonic(), time.process_time()
        told = started
        waiting = list(self.pool)
        while (now := time.monotonic()) < started + seconds and len(self.hunted.faults) < _MOST_FAULTS:
            self.step(waiting.pop() if waiting else self._drawn())
            if now > told + _TOLD_SECONDS:
                told, self.hunted.seconds = now, now - started
                tell(self.hunted)
        self.hunted.seconds, self.hunted.cpu_seconds = time.monotonic() - started, time.process_time() - cpu

    def step(self, request: InboundRequest) -> Verdict:
        """Judge one request, and keep it when it is of use."""
        if self._at_hand is not None:
            show(self._at_hand, request)
        found: list[Verdict] = []
        match self._chance.randrange(_TRACED):
            case 0:
                is_new = self._lines.fresh(lambda: found.append(self._judged(request, twice=False)))
            case turn:
                found.append(self._judged(request, twice=turn == 1))
                is_new = False
        verdict = found[0]
        self.hunted.counted[verdict.found] += 1
        if verdict.fault is not None:
            self._fault(request, verdict.fault, verdict.detail)
        elif is_new or self._is_new_shape(request):
            self._add(request, is_good=verdict.found.startswith("events"))
        return verdict

    def _judged(self, request: InboundRequest, *, twice: bool = True) -> Verdict:
        return judge(self.hunted.name, self._parser, request, twice=twice)

    def _is_new_shape(self, request: InboundRequest) -> bool:
        found = shape(self._parser, request) if self._chance.randrange(_TRACED) == 0 else None
        if found is None or found in self._shapes:
            return False
        self._shapes.add(found)
        return True

    def _add(self, request: InboundRequest, *, is_good: bool) -> None:
        if len(self.pool) < _MOST_POOL and len(request.body) <= _MOST_POOL_BYTES:
            self.pool.append(request)
            self._good.extend([request] if is_good else [])
        self.hunted.lines, self.hunted.pool = self._lines.seen, len(self.pool)

    def _drawn(self) -> InboundRequest:
        """Half of the time one that facts came of, half of the time one of the latest."""
        drawn_from = (self._good if self._chance.randrange(2) else self.pool)[-50 if self._chance.randrange(2) else 0 :]
        request = broken(self._chance.choice(drawn_from), self.pool, self._chance)
        return genuine(self.hunted.name, self._parser, request) if self._chance.randrange(2) else request

    def _fault(self, request: InboundRequest, fault: str, detail: str) -> None:
        if fault in self.hunted.faults or self._judged(request).fault != fault:
            return
        least = smallest(request, lambda fewer: self._judged(fewer).fault == fault)
        self.hunted.faults[fault] = (detail, str(keep(self.hunted.name, least, fault, detail)))


def show(at_hand: mmap.mmap, request: InboundRequest) -> None:
    """Put a request where another process sees it."""
    at_hand.seek(0)
    at_hand.write(pickle.dumps(request)[: len(at_hand)])


def shown(at_hand: mmap.mmap) -> InboundRequest | None:
    """The request that a process had at hand; None before its first."""
    at_hand.seek(0)
    try:
        return pickle.loads(at_hand.read())  # noqa: S301 - our own
    except (pickle.UnpicklingError, EOFError):
        return None


def save(pool: list[InboundRequest], name: str, path: Path, most: int) -> None:
    """The latest finds with what is read from them, for a process in another place to compare."""
    parser = channel(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps([(name, request, digest(parser, request)) for request in pool[-most:]]))
