"""Whether traces are wanted: by OpenTelemetry's own variables. Without them nothing of OpenTelemetry is imported."""

import os
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from services.settings import Misconfigured

if TYPE_CHECKING:
    from services.tracing.traces import Traces

CURRENT: Final[ContextVar["Traces | None"]] = ContextVar("traces", default=None)
"""Set once where a process is put together; its tasks inherit it."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def begin(role: str) -> "Traces | None":
    """The traces of this process; None when they are not wanted. Raises `Misconfigured`."""
    if not wanted(os.environ):
        return None
    from services.tracing.traces import Traces  # noqa: PLC0415 - a second of imports, only where it is wanted

    return Traces(role, os.environ)


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is named and nothing turns it off.

    Raises:
        Misconfigured: a protocol that we do not speak.
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if not any(environment.get(name) for name in _ENDPOINTS):
        return False
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise Misconfigured(f"traces go out by http/protobuf only, {_PROTOCOLS[1]} says {protocol}: leave it out")
    return True
