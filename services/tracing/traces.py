"""Spans of whole batches, sent by a thread of OpenTelemetry's with a bounded queue: what does not fit is dropped.

Sources: W3C Trace Context (`traceparent`); OpenTelemetry's conventions for messaging: a batch is linked to the contexts
of what is in it, and is their child when there is only one.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

_MOST_LINKS: Final = 128
_END_SECONDS: Final = 2.0
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
Stored = Callable[[str | None], str]
"""From what a caller sent to what a fact keeps."""


class Traces:
    """One per process."""

    def __init__(self, role: str, environment: Mapping[str, str]) -> None:
        """Endpoint, headers, sampler, queue and names are taken from the variables `OTEL_*`."""
        named = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
        resource = Resource.create({"tamas.role": role} if named else {"tamas.role": role, "service.name": "tamas"})
        self._provider: Final = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer: Final = self._provider.get_tracer("tamas")

    @contextmanager
    def batch(self, name: str, given: Sequence[str | None], **numbers: int) -> Generator[Stored]:
        """A span around the work on a batch. `given` are the `traceparent`s of all that is in it.

        Yields what each fact made of it keeps: its caller's, or this span's where it has none or both are one trace.
        """
        found = {one: _context(one) for one in dict.fromkeys(given)}
        contexts = [context for context in found.values() if context is not None]
        parent, links = Context(), [Link(context) for context in contexts[:_MOST_LINKS]]
        if len(found) == len(contexts) == 1:
            parent, links = set_span_in_context(NonRecordingSpan(contexts[0]), Context()), []
        attributes = {f"tamas.{key}": value for key, value in numbers.items()}
        span = self._tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, links)
        own = span.get_span_context()

        def stored(one: str | None) -> str:
            context = found.get(one)
            return _text(own if context is None or context.trace_id == own.trace_id else context)

        try:
            yield stored
        except BaseException as error:
            # Its name alone: messages may quote what customers wrote.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()

    async def end(self) -> None:
        """Send what is left; a collector that does not answer is given two seconds."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _END_SECONDS)


def _context(text: str | None) -> SpanContext | None:
    found = None if text is None else _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def _text(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
