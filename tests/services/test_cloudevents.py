import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.event import Undecodable
from services.cloudevents import Headers, from_headers, position_of, previous_of, to_batch, to_headers, to_json
from services.record.reader import Row

BASE = "https://tamas.example"
EVENT, SUBJECT, INBOX = (UUID(f"0000000{n}-0000-5000-8000-00000000000a") for n in (1, 2, 3))
ROW = Row(
    position=2**40 + 7,
    event_id=EVENT,
    revision=1,
    tenant="acme",
    topic="interactions",
    type="interaction.received",
    version=1,
    subject=SUBJECT,
    inbox_id=INBOX,
    raw_id=None,
    occurred_at=datetime(2026, 3, 21, 10, 30, 0, 123456, tzinfo=UTC),
    recorded_at=datetime(2026, 3, 21, 10, 30, 1, tzinfo=UTC),
    correlation_id=UUID(int=4),
    causation_id=UUID(int=5),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    payload='{"type":"interaction.received","personal":{"text":"سلام"}}'.encode(),
    erased=False,
)
ROWS = {
    "all there": ROW,
    "a decision": replace(ROW, inbox_id=None, correlation_id=None, causation_id=None, traceparent=None),
    "a revision": replace(ROW, revision=2),
    "another version": replace(ROW, version=12, type="inbox.key_rotated"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_there_and_back(row: Row) -> None:
    headers = to_headers(row, 17, BASE)
    assert from_headers(row.topic, headers, row.payload) == row
    assert (position_of(headers), previous_of(headers)) == (row.position, 17)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_sdk_reads_what_we_write(row: Row) -> None:
    message = kafka.KafkaMessage(dict(to_headers(row, 17, BASE)), None, row.payload)
    event = kafka.from_binary(message, JSONFormat())
    assert isinstance(event, CloudEvent)
    assert event.get_id() == (str(EVENT) if row.revision == 1 else f"{EVENT}.r2")
    assert event.get_type() == f"tamas.{row.type}.v{row.version}"
    assert event.get_source() == ("/tenants/acme" if row.inbox_id is None else f"/tenants/acme/inboxes/{INBOX}")
    assert event.get_subject() == str(SUBJECT)
    assert event.get_time() == row.occurred_at
    assert event.get_datacontenttype() == "application/json"
    assert event.get_dataschema() == f"{BASE}/schemas/{row.type}/{row.version}.json"
    assert event.get_data() == json.loads(row.payload)
    assert event.get_extension("position") == str(row.position)
    assert event.get_extension("prevposition") == "17"
    assert event.get_extension("traceparent") == row.traceparent


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_we_read_what_the_sdk_writes(row: Row) -> None:
    ours = kafka.from_binary(kafka.KafkaMessage(dict(to_headers(row, 17, BASE)), None, row.payload), JSONFormat())
    theirs = kafka.to_binary(ours, JSONFormat())
    read = from_headers(row.topic, list(theirs.headers.items()), theirs.value)
    assert json.loads(read.payload) == json.loads(row.payload)
    assert replace(read, payload=row.payload) == row


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_sdk_reads_our_json(row: Row) -> None:
    event = JSONFormat().read(CloudEvent, to_json(row, BASE))
    assert event.get_id() == (str(EVENT) if row.revision == 1 else f"{EVENT}.r2")
    assert event.get_time() == row.occurred_at
    assert event.get_data() == json.loads(row.payload)
    assert event.get_extension("position") == str(row.position), "an Integer of CloudEvents has 32 bits"


def test_batch_is_an_array() -> None:
    assert to_batch([], BASE) == b"[]"
    assert [event["subject"] for event in json.loads(to_batch([ROW, ROW], BASE))] == [str(SUBJECT)] * 2


def test_extension_names_are_as_the_specification_wants() -> None:
    names = [name.removeprefix("ce_") for name, _ in to_headers(ROW, 0, BASE, by_reference=True) if name[:3] == "ce_"]
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in names)
    assert len(set(names)) == len(names)


def test_times_are_told_in_utc() -> None:
    tehran = ROW.occurred_at.astimezone(timezone(timedelta(hours=3, minutes=30)))
    assert dict(to_headers(replace(ROW, occurred_at=tehran), 0, BASE))["ce_time"] == b"2026-03-21T10:30:00.123456Z"


def test_a_claim_check_has_no_value_but_an_address() -> None:
    headers = dict(to_headers(ROW, 0, BASE, by_reference=True))
    assert headers["ce_dataref"].decode() == f"{BASE}/api/v1/events/{ROW.position}"
    assert from_headers("interactions", list(headers.items()), None).payload == b""


def _without(name: str) -> Headers:
    return [(key, value) for key, value in to_headers(ROW, 0, BASE) if key != name]


BROKEN: dict[str, list[tuple[str, Any]]] = {
    "empty": [],
    "no position": _without("ce_position"),
    "no type": _without("ce_type"),
    "position is no number": [*_without("ce_position"), ("ce_position", b"x")],
    "position is null": [*_without("ce_position"), ("ce_position", None)],
    "subject is no id": [*_without("ce_subject"), ("ce_subject", b"tel")],
    "subject is null": [*_without("ce_subject"), ("ce_subject", None)],
    "not UTF-8": [*_without("ce_tenant"), ("ce_tenant", b"\xff")],
    "no version": [*_without("ce_type"), ("ce_type", b"tamas.x")],
    "no time": [*_without("ce_time"), ("ce_time", b"yesterday")],
}


@pytest.mark.parametrize("headers", BROKEN.values(), ids=BROKEN)
def test_strange_headers_are_undecodable(headers: Headers) -> None:
    with pytest.raises(Undecodable):
        from_headers("interactions", headers, b"{}")
