"""Where a trace begins: the span of a group of requests, and what their facts keep of it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from services.ingress.submission import Submission
from services.tracing.setting import CURRENT


@contextmanager
def traced(group: Sequence[Submission]) -> Generator[None]:
    """Around the commit of a group; without traces nothing is looked at."""
    traces = CURRENT.get()
    if traces is None:
        yield
        return
    given = [one.request.header("traceparent") for one in group]
    with traces.batch("intake", given, requests=len(group)) as stored:
        for one, traceparent in zip(group, given, strict=True):
            one.traceparent = stored(traceparent)
        yield


@contextmanager
def traced_one(name: str, given: str | None) -> Generator[str | None]:
    """Around the work on one request; yields what its facts keep."""
    traces = CURRENT.get()
    if traces is None:
        yield None
        return
    with traces.batch(name, [given], requests=1) as stored:
        yield stored(given)
