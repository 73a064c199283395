"""What watching costs: counting as a share of an interaction's CPU, scrapes, and traces to a collector that is mute."""

import asyncio
import os
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from channels.contract import InboundRequest, Origin
from services.embedded.process import free_port
from services.ingress.spans import traced
from services.ingress.submission import Outcome, Submission
from services.ingress.tally import Tally
from services.metrics.machine import gathered
from services.ops.processes import append, told
from services.record import arrays
from services.settings import Settings
from tests.bench.figures import Figure, paired
from tests.bench.load import Load, Spec
from tests.bench.process import cpu_seconds
from tests.bench.stand import Servers, Target, add_inbox, running
from tests.services.tracing.collector import silent

_ROUNDS = 5
_SECONDS = 3.0
_MOST = int(_SECONDS * 16_000)
_REPEATS = 2_000
_SCRAPE_SECONDS = 1.0


def monitoring(found: Servers) -> list[Figure]:
    """The edge alone, closed loop over 128 connections. A scrape a second is 15 times what Prometheus does."""
    plain: list[float] = []
    scraped: list[float] = []
    spanned: list[float] = []
    counting: list[float] = []
    with ExitStack() as stack:
        port = free_port()
        settings, target = stack.enter_context(_edge(found, TAMAS_METRICS_LISTEN=f"127.0.0.1:{port}"))
        url, _ = stack.enter_context(silent())
        _, traced_target = stack.enter_context(_edge(found, OTEL_EXPORTER_OTLP_ENDPOINT=url))
        for number in range(_ROUNDS + 1):
            alone = _cost(target)
            with _scraping(f"http://127.0.0.1:{port}/metrics"):
                watched = _cost(target)
            costly = _cost(traced_target)
            size = append(told(settings.data))["requests_per_group"]
            if number:
                plain.append(alone)
                scraped.append(watched)
                spanned.append(costly)
                counting.append(_counting(round(size)))
        page = asyncio.run(gathered(settings.data))
    assert "tamas_append_seconds_bucket" in page, "nothing was counted"
    cpu = "the edge's CPU an interaction"
    return [
        paired("monitoring cost: counting", counting, plain, "µs", cpu, "≤ 0.03"),
        paired("monitoring cost: CPU with a scrape a second", scraped, plain, "µs", "without"),
        paired("monitoring cost: CPU with traces, a mute collector", spanned, plain, "µs", "without"),
    ]


@contextmanager
def _edge(found: Servers, **environment: str) -> Generator[tuple[Settings, Target]]:
    settings = found.settings()
    path = add_inbox(settings)
    os.environ.update(environment)
    try:
        with running(settings, "ingress") as worker:
            assert worker.process is not None
            for name in environment:
                del os.environ[name]
            yield settings, Target("ours", worker.addresses["http"], path, worker.process.pid)
    finally:
        for name in environment:
            os.environ.pop(name, None)


def _cost(target: Target) -> float:
    """Microseconds of CPU for each accepted request."""
    load = Load(Spec(target.url, target.path, _SECONDS, _MOST))
    before = cpu_seconds(target.pid)
    outcome = load.run()
    return (cpu_seconds(target.pid) - before) / outcome.accepted * 1e6


@contextmanager
def _scraping(url: str) -> Generator[None]:
    stop = threading.Event()

    def scrape() -> None:
        while not stop.is_set():
            httpx.get(url).raise_for_status()
            stop.wait(_SCRAPE_SECONDS)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _counting(size: int) -> float:
    """Microseconds that counting, an unwanted trace and its empty column take for a request in groups of this size."""
    request = InboundRequest("POST", "http://tamas/", (), b"", datetime.now(UTC), Origin("bench", "twilio:+98"))
    one = Submission(request, uuid4(), outcome=Outcome("accepted", (uuid4(),)))
    group = [replace(one) for _ in range(size)]
    tally = Tally()
    began = time.process_time()
    for _ in range(_REPEATS):
        with traced(group):
            arrays.texts(submission.traceparent for submission in group)
        tally.committed(group, 0.01)
    return (time.process_time() - began) / (_REPEATS * size) * 1e6
