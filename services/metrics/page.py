"""One process's numbers as text in Prometheus' format, each with the process's role and pid."""

import os
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg_pool import AsyncConnectionPool

from services.metrics.catalogue import METRICS
from services.metrics.meters import Histogram, Labels, Meters


class Page(Collector):
    """Renders when it is asked, and at no other time."""

    def __init__(self, meters: Meters) -> None:
        """`meters` may still grow."""
        self._meters: Final = meters
        self._own: Final = {"role": meters.role, "pid": str(os.getpid())}
        self._python: Final = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._python)
        GCCollector(registry=self._python)
        self._registry: Final = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> str:
        """The page; some two milliseconds for 200 inboxes."""
        return generate_latest(self._registry).decode()

    def collect(self) -> Iterable[Metric]:
        """Called by prometheus-client."""
        for family in (*self._python.collect(), *_families(self._meters)):
            family.samples = [sample._replace(labels={**sample.labels, **self._own}) for sample in family.samples]
            yield family


def _families(meters: Meters) -> Iterable[Metric]:
    found: dict[str, Metric] = {}
    for name, read in meters.sources:
        for labels, value in read().items():
            _add(found, name, labels, value)
    for pool in meters.pools:
        for name, labels, value in _of_pool(pool):
            _add(found, name, labels, value)
    return found.values()


def _add(found: dict[str, Metric], name: str, labels: Labels, value: float | Histogram) -> None:
    known = METRICS[name]
    match value, known.kind:
        case Histogram(), _:
            family = found.setdefault(name, HistogramMetricFamily(name, known.meaning, labels=known.labels))
            assert isinstance(family, HistogramMetricFamily)  # noqa: S101 - the catalogue has one kind for a name
            family.add_metric(labels, _cumulated(value), value.total)
        case _, "counter":
            family = found.setdefault(name, CounterMetricFamily(name, known.meaning, labels=known.labels))
            family.add_sample(f"{name}_total", dict(zip(known.labels, labels, strict=True)), value)
        case _:
            family = found.setdefault(name, GaugeMetricFamily(name, known.meaning, labels=known.labels))
            family.add_sample(name, dict(zip(known.labels, labels, strict=True)), value)


def _cumulated(value: Histogram) -> list[tuple[str, float]]:
    bounds = [*(repr(bound) for bound in value.bounds), "+Inf"]
    return list(zip(bounds, accumulate(value.counts), strict=True))


def _of_pool(pool: AsyncConnectionPool) -> Iterable[tuple[str, Labels, float]]:
    told, name = pool.get_stats(), pool.name
    size, idle = told.get("pool_size", 0), told.get("pool_available", 0)
    yield "tamas_pool_connections", (name, "idle"), idle
    yield "tamas_pool_connections", (name, "used"), size - idle
    yield "tamas_pool_waiting", (name,), told.get("requests_waiting", 0)
    yield "tamas_pool_waits", (name,), told.get("requests_queued", 0)
    yield "tamas_pool_wait_seconds", (name,), told.get("requests_wait_ms", 0) / 1000
    yield "tamas_pool_errors", (name,), told.get("requests_errors", 0)
