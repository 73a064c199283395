"""What every process of the box held in memory while it worked, and by how much that grew in the second half."""

import time
from collections import defaultdict
from statistics import median

import psutil

from tests.bench.figures import Figure, paired
from tests.bench.process import resident_bytes

OURS = ("edge", "parser", "imap", "core", "views", "up")
SERVERS = ("postgres", "kafka")
_OURS_SECONDS, _SERVERS_SECONDS = 1.0, 10.0
_AFTER_HALF, _LAST = (0.5, 0.6), (0.9, 1.0)
"""The two windows that are compared, as shares of all interactions."""
_JUDGED_FROM = 200_000
"""With fewer, what fills once is still filling in the second half: stated, not judged."""


class Memory:
    """Looks at the processes while `look` is called often."""

    def __init__(self, pids: dict[str, int], total: int) -> None:
        self._pids = pids
        self._total = total
        self._samples: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._next = dict.fromkeys((OURS, SERVERS), 0.0)

    def look(self, accepted: int) -> None:
        now = time.monotonic()
        for names, pause in ((OURS, _OURS_SECONDS), (SERVERS, _SERVERS_SECONDS)):
            if now >= self._next[names]:
                self._next[names] = now + pause
                for name in names:
                    held = resident_bytes(self._pids[name]) if name != "postgres" else _shared(self._pids[name])
                    self._samples[name].append((accepted, held / 1e6))

    def figures(self) -> list[Figure]:
        """Median by window. Servers are not judged: their caches are as large as they are set, whenever they fill."""
        goal = "≤ 1.05" if self._total >= _JUDGED_FROM else None
        told = "after the half"
        return [
            paired(f"memory of {name}, last tenth", [last], [first], "MB", told, goal if name in OURS else None)
            for name in (*OURS, *SERVERS)
            if (first := self._held(name, _AFTER_HALF)) and (last := self._held(name, _LAST))
        ]

    def lines(self) -> list[str]:
        """The whole course, in tenths; a dash where it was not looked at."""
        judged = "ours judged" if self._total >= _JUDGED_FROM else f"judged from {_JUDGED_FROM:,} interactions on"
        tenths = [(n / 10, (n + 1) / 10) for n in range(10)]
        return [
            f"memory in MB by tenths of the run: RSS, of PostgreSQL PSS; {judged}, servers only shown",
            *[f"  {name:<10}" + "".join(self._cell(name, one) for one in tenths) for name in (*OURS, *SERVERS)],
        ]

    def _cell(self, name: str, window: tuple[float, float]) -> str:
        return f"{held:8.1f}" if (held := self._held(name, window)) else f"{'-':>8}"

    def _held(self, name: str, window: tuple[float, float]) -> float:
        low, high = (share * self._total for share in window)
        found = [held for accepted, held in self._samples[name] if low <= accepted <= high]
        return median(found) if found else 0.0


def _shared(pid: int) -> float:
    """Of a process and its children, what they share counted once (PSS)."""
    held = 0.0
    for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            held += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return held
