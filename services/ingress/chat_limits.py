"""How fast a visitor may write, and how many sockets may be open. Counted per process, in memory."""

import contextlib
from collections import Counter
from collections.abc import Generator
from typing import Final
from uuid import UUID

BURST: Final = 30
PER_SECOND: Final = 1.0
_MOST_PER_INBOX: Final = 5000
_MOST_PER_SOURCE: Final = 200
_REMEMBERED: Final = 10_000


class Pace:
    """A bucket of messages for each visitor: so many at once, then so many a second."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        """The buckets are full at first."""
        self._burst: Final = burst
        self._per_second: Final = per_second
        self._left: Final[dict[tuple[str, str], tuple[float, float]]] = {}

    def allows(self, visitor: tuple[str, str], now: float) -> bool:
        """Take one message out of the bucket at the monotonic time `now`; False when it is empty."""
        if len(self._left) > _REMEMBERED:
            self._forget(now)
        left = self._filled(visitor, now)
        if left < 1:
            return False
        self._left[visitor] = (left - 1, now)
        return True

    def _filled(self, visitor: tuple[str, str], now: float) -> float:
        left, at = self._left.get(visitor, (float(self._burst), now))
        return min(self._burst, left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        for visitor in [one for one in self._left if self._filled(one, now) >= self._burst]:
            del self._left[visitor]


class Crowd:
    """Open sockets by inbox and by where they come from."""

    def __init__(self, per_inbox: int = _MOST_PER_INBOX, per_source: int = _MOST_PER_SOURCE) -> None:
        """The most that each may have."""
        self._per_inbox: Final = per_inbox
        self._per_source: Final = per_source
        self._open: Final[Counter[UUID | str]] = Counter()

    @contextlib.contextmanager
    def joined(self, inbox_id: UUID, source: str) -> Generator[bool]:
        """Whether there is room for one more, which is counted until the end."""
        has_room = self._open[inbox_id] < self._per_inbox and self._open[source] < self._per_source
        if not has_room:
            yield False
            return
        self._open.update((inbox_id, source))
        try:
            yield True
        finally:
            self._open.subtract((inbox_id, source))
            for one in (inbox_id, source):
                if not self._open[one]:
                    del self._open[one]
