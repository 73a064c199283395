"""Spans of batches, by themselves."""

import subprocess
import sys

import pytest

from services.settings import Misconfigured
from services.tracing.setting import wanted
from services.tracing.traces import Traces
from tests.services.tracing.collector import collecting, silent

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


async def test_a_batch_of_one_trace_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        traces = Traces("edge", {})
        with traces.batch("intake", [ONE, ONE], requests=2) as stored:
            kept = stored(ONE)
        await traces.end()
    (span,) = collector.spans
    assert collector.roles == {"tamas/edge"}
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("intake", ONE[3:35], ONE[36:52])
    assert kept == f"00-{ONE[3:35]}-{span.span_id.hex()}-01"
    assert {one.key: one.value.int_value for one in span.attributes} == {"tamas.requests": 2}


async def test_a_batch_of_several_is_linked_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        traces = Traces("edge", {})
        with traces.batch("intake", [ONE, None, OTHER, "nonsense"]) as stored:
            kept = [stored(ONE), stored(OTHER), stored(None), stored("nonsense")]
        await traces.end()
    (span,) = collector.spans
    assert span.parent_span_id == b""
    assert [link.trace_id.hex() for link in span.links] == [ONE[3:35], OTHER[3:35]]
    own = f"00-{span.trace_id.hex()}-{span.span_id.hex()}-"
    assert kept[:2] == [ONE, OTHER]
    assert kept[2] == kept[3]
    # Sampled; the SDK says too that the id is random (W3C Trace Context, level 2).
    assert (kept[2][:-2], int(kept[2][-2:], 16) & 1) == (own, 1)


async def test_a_failure_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        traces = Traces("edge", {})
        with pytest.raises(ValueError, match="secret"), traces.batch("intake", [None]):
            raise ValueError("a secret of a customer")
        await traces.end()
    (span,) = collector.spans
    assert (span.status.code, span.status.message, list(span.events)) == (2, "ValueError", [])


async def test_a_collector_that_never_answers_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    with silent() as (url, taken):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        traces = Traces("edge", {})
        for _ in range(1000):
            with traces.batch("intake", [None]):
                pass
        await traces.end()
        assert taken, "it was never asked"


def test_wanted_is_what_the_variables_say() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    assert not wanted({})
    assert wanted(endpoint)
    assert wanted({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    assert not wanted({**endpoint, "OTEL_SDK_DISABLED": "true"})
    assert not wanted({**endpoint, "OTEL_TRACES_EXPORTER": "none"})
    with pytest.raises(Misconfigured, match="grpc"):
        wanted({**endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_nothing_is_imported_without_them() -> None:
    program = (
        "import sys, services.roles, services.ingress.app, services.relay.app, services.projector.app\n"
        "from services.tracing.setting import begin\n"
        "assert begin('edge') is None\n"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'google.protobuf', 'requests')\n"
        "assert not [name for name in sys.modules if name.startswith(heavy)], 'imported all the same'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PATH": ""})
