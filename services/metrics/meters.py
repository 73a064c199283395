"""Plain numbers that a process keeps anyway, and where they are read when somebody asks. Counting never waits or locks.

A role says what it has with `watch`; outside of `tamas run` (a command, a test) there is nobody to tell, and nothing
happens.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias

from psycopg_pool import AsyncConnectionPool

from services.metrics.catalogue import METRICS

Labels: TypeAlias = tuple[str, ...]
"""Values in the order of the catalogue's names."""


class Histogram:
    """Counts by upper bound, as Prometheus has them."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """`bounds` ascend; one more counts what is above all of them."""
        self.bounds: Final = bounds
        self.counts: Final = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One value more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


Numbers: TypeAlias = Mapping[Labels, "float | Histogram"]


class Meters:
    """What one process has to tell."""

    def __init__(self, role: str) -> None:
        """`role` as `tamas run` was told."""
        self.role: Final = role
        self.sources: Final[list[tuple[str, Callable[[], Numbers]]]] = []
        self.pools: Final[list[AsyncConnectionPool]] = []


CURRENT: Final[ContextVar[Meters | None]] = ContextVar("meters", default=None)
"""Set once where a process is put together; its tasks inherit it."""


def watch(name: str, read: Callable[[], Numbers]) -> None:
    """Tell a metric of the catalogue: `read` is called at each scrape, on the loop, and must not wait.

    Raises:
        KeyError: the catalogue has no such metric.
    """
    if name not in METRICS:
        raise KeyError(f"{name} is not in services.metrics.catalogue")
    meters = CURRENT.get()
    if meters is not None:
        meters.sources.append((name, read))


def watch_pool(pool: AsyncConnectionPool) -> None:
    """Tell how long a pool lets its users wait."""
    meters = CURRENT.get()
    if meters is not None:
        meters.pools.append(pool)
