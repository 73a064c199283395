"""From the door to the timeline, as a collector of OpenTelemetry sees it."""

import asyncio
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from channels.signing import sign_twilio
from services import topics
from services.produce import connection
from services.settings import Settings
from tests.flows.doors.opened import AUTH_TOKEN, NUMBER, Doors, open_doors
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import traffic_to
from tests.flows.whole import check_whole
from tests.services.tracing.collector import collecting, silent

CALLER = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def test_one_trace_from_the_door_to_the_timeline(folder: Path) -> None:
    with collecting() as collector:
        up = Installation(folder, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"})
        try:
            found = up.endpoints
            doors = open_doors(up.settings, found["http"], found["smtp"])
            _post(doors, "with a trace", f"00-{CALLER}-{PARENT}-01")
            eventually(lambda: collector.named("projector", CALLER), "a span of the read models in the caller's trace")
            intake, projector = collector.named("intake", CALLER), collector.named("projector", CALLER)
            assert intake is not None
            assert projector is not None
            assert intake.parent_span_id.hex() == PARENT
            assert projector.parent_span_id == intake.span_id
            assert intake.start_time_unix_nano < projector.start_time_unix_nano
            _post(doors, "without one", None)
            eventually(lambda: len(_traceparents(up.settings)) == 2, "both are on the wire")
            first, second = _traceparents(up.settings)
            assert first == f"00-{CALLER}-{intake.span_id.hex()}-01"
            eventually(lambda: collector.named("projector", second[3:35]), "a trace that we began ends in the timeline")
            begun = collector.named("intake", second[3:35])
            assert begun is not None
            assert (begun.span_id.hex(), begun.parent_span_id) == (second[36:52], b"")
            assert {"tamas/edge", "tamas/views"} <= collector.roles
        finally:
            up.stop()


def test_a_collector_that_never_answers_costs_no_request(folder: Path) -> None:
    with silent() as (url, taken):
        given = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BSP_MAX_QUEUE_SIZE": "16",
                 "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8"}  # fmt: skip
        up = Installation(folder, given)
        try:
            traffic = traffic_to(up, 3, 300)
            with traffic.flowing():
                pass
            assert taken, "it was never asked"
            assert set(traffic.answers) <= {200, 202, 250}
            check_whole(up, traffic.accepted)
        finally:
            up.stop()


def _post(doors: Doors, text: str, traceparent: str | None) -> None:
    params = [("MessageSid", f"SM{len(text)}"), ("From", "+989120000001"), ("To", NUMBER), ("Body", text)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    headers["x-twilio-signature"] = sign_twilio(AUTH_TOKEN, doors.http + doors.sms_path, params)
    if traceparent is not None:
        headers["traceparent"] = traceparent
    assert httpx.post(doors.http + doors.sms_path, content=urlencode(params), headers=headers).status_code == 200


def _traceparents(settings: Settings) -> list[str]:
    """`ce_traceparent` of the interactions on the wire, by position."""
    return [text for _, text in sorted(asyncio.run(_read(settings)))]


async def _read(settings: Settings) -> list[tuple[int, str]]:
    name = topics.name_of(settings, "interactions")
    partitions = [TopicPartition(name, n) for n in range(settings.topic_partitions)]
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = cast("dict[TopicPartition, int]", await consumer.end_offsets(partitions))
        consumer.assign(partitions)
        found: list[tuple[int, str]] = []
        async with asyncio.timeout(30):
            while len(found) < sum(ends.values()):
                fetched = cast("dict[TopicPartition, list[Any]]", await consumer.getmany(timeout_ms=200))
                for record in [record for records in fetched.values() for record in records]:
                    headers = dict(record.headers)
                    found.append((int(headers["ce_position"]), headers["ce_traceparent"].decode()))
    finally:
        await consumer.stop()
    return found
