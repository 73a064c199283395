"""Token buckets: so many requests a second, and a burst above it."""

import math
import time
from collections.abc import Callable
from typing import Final

_MOST: Final = 10_000


class Limits:
    """One bucket per key, each refilled at the same rate."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds, never going back."""
        self._per_second: Final = per_second
        self._burst: Final = burst
        self._clock: Final = clock
        self._buckets: Final[dict[bytes, tuple[float, float]]] = {}

    def take(self, key: bytes) -> int:
        """0 when there was one left, else the whole seconds until there is."""
        now = self._clock()
        left, seen_at = self._buckets.get(key, (self._burst, now))
        left = min(self._burst, left + (now - seen_at) * self._per_second)
        if left < 1:
            return math.ceil((1 - left) / self._per_second)
        if len(self._buckets) >= _MOST:
            self._buckets.clear()
        self._buckets[key] = left - 1, now
        return 0
