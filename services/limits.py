"""Token buckets: so many requests a second, and a burst above it. Counted per process, in memory."""

import math
import time
from collections.abc import Callable, Hashable
from typing import Final

_MOST: Final = 10_000
"""So many buckets are remembered before the full ones, which say nothing, are forgotten."""


class Limits:
    """One bucket per key, each refilled at the same rate."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds, never going back."""
        self._per_second: Final = per_second
        self._burst: Final = burst
        self._clock: Final = clock
        self._buckets: Final[dict[Hashable, tuple[float, float]]] = {}

    def take(self, key: Hashable) -> int:
        """0 when there was one left, else the whole seconds until there is."""
        now = self._clock()
        left = self._filled(key, now)
        if left < 1:
            return math.ceil((1 - left) / self._per_second)
        if len(self._buckets) >= _MOST:
            self._forget(now)
        self._buckets[key] = left - 1, now
        return 0

    def _filled(self, key: Hashable, now: float) -> float:
        left, seen_at = self._buckets.get(key, (self._burst, now))
        return min(self._burst, left + (now - seen_at) * self._per_second)

    def _forget(self, now: float) -> None:
        for key in [one for one in self._buckets if self._filled(one, now) >= self._burst]:
            del self._buckets[key]
