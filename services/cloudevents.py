"""CloudEvents 1.0 on the wire: Kafka's binary mode both ways, and JSON for the HTTP feed.

Sources: CloudEvents 1.0.2; its Kafka protocol binding 1.0.2 (binary content mode: attributes are headers `ce_…` in
UTF-8, `datacontenttype` is the header `content-type`); its extensions distributed tracing and dataref (claim check).
Our extension attributes stand in DESIGN, Topics. `position` is text in JSON: an Integer of CloudEvents has 32 bits.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import orjson

from schemas.event import Undecodable
from services.record.reader import Row

Headers = list[tuple[str, bytes]]

BATCH_TYPE: Final = "application/cloudevents-batch+json"
EVENT_TYPE: Final = "application/cloudevents+json"
_JSON: Final = b"application/json"


def to_headers(row: Row, previous: int | None, base_url: str, *, by_reference: bool = False) -> Headers:
    """The record's headers on Kafka; its value is `row.payload`.

    `previous` is the highest position that may precede this one in its partition (0: none), by which a subscriber can
    prove that it missed nothing. `by_reference` = a claim check: the value is empty, `dataref` says where it is read.
    """
    event_id = str(row.event_id)
    source = f"/tenants/{row.tenant}" if row.inbox_id is None else f"/tenants/{row.tenant}/inboxes/{row.inbox_id}"
    found: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_position", b"%d" % row.position),
        ("ce_id", (event_id if row.revision == 1 else f"{event_id}.r{row.revision}").encode()),
        ("ce_type", f"tamas.{row.type}.v{row.version}".encode()),
        ("ce_source", source.encode()),
        ("ce_subject", str(row.subject).encode()),
        ("ce_time", _text(row.occurred_at).encode()),
        ("ce_dataschema", f"{base_url}/schemas/{row.type}/{row.version}.json".encode()),
        ("content-type", _JSON),
        ("ce_tenant", row.tenant.encode()),
        ("ce_eventid", event_id.encode()),
        ("ce_revision", b"%d" % row.revision),
        ("ce_recordedat", _text(row.recorded_at).encode()),
    ]
    if previous is not None:
        found.append(("ce_prevposition", b"%d" % previous))
    if row.correlation_id is not None:
        found.append(("ce_correlationid", str(row.correlation_id).encode()))
    if row.causation_id is not None:
        found.append(("ce_causationid", str(row.causation_id).encode()))
    if row.traceparent is not None:
        found.append(("ce_traceparent", row.traceparent.encode()))
    if by_reference:
        found.append(("ce_dataref", reference(row.position, base_url).encode()))
    return found


def reference(position: int, base_url: str) -> str:
    """Where an event is read that was too large for the broker."""
    return f"{base_url}/api/v1/events/{position}"


def position_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """The record's position, for skipping without decoding the rest.

    Raises:
        Undecodable: there is none; something else wrote to our topic.
    """
    return _number(headers, "ce_position")


def previous_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """The position that precedes it in its partition. Above what a subscriber holds = it missed something.

    Raises:
        Undecodable: there is none.
    """
    return _number(headers, "ce_prevposition")


def from_headers(topic: str, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Row:
    """The row as the record's reader gives it, without `raw_id`. `topic` without the prefix.

    An empty `payload` is a claim check: read the row at its position from the record or at its `dataref`.

    Raises:
        Undecodable: a header of ours is missing or is not what it should be.
    """
    found = dict(headers)
    try:
        kind, version = _type(found["ce_type"])
        return Row(
            position=int(found["ce_position"]),
            event_id=UUID(found["ce_eventid"].decode()),
            revision=int(found["ce_revision"]),
            tenant=found["ce_tenant"].decode(),
            topic=topic,
            type=kind,
            version=version,
            subject=UUID(found["ce_subject"].decode()),
            inbox_id=_inbox(found["ce_source"]),
            raw_id=None,
            occurred_at=datetime.fromisoformat(found["ce_time"].decode()),
            recorded_at=datetime.fromisoformat(found["ce_recordedat"].decode()),
            correlation_id=_uuid(found.get("ce_correlationid")),
            causation_id=_uuid(found.get("ce_causationid")),
            traceparent=None if "ce_traceparent" not in found else found["ce_traceparent"].decode(),
            payload=value or b"",
            erased=False,
        )
    except KeyError as error:
        raise Undecodable(f"the header {error.args[0]} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Undecodable(f"a header is not as CloudEvents or Tamas has it: {error}") from error


def to_json(row: Row, base_url: str) -> bytes:
    """One event in structured mode (`application/cloudevents+json`)."""
    headers = to_headers(row, None, base_url)
    attributes: dict[str, str | int] = {
        name.removeprefix("ce_"): value.decode() for name, value in headers if name != "content-type"
    }
    attributes["revision"] = row.revision
    attributes["datacontenttype"] = "application/json"
    return orjson.dumps(attributes)[:-1] + b',"data":' + row.payload + b"}"


def to_batch(rows: Sequence[Row], base_url: str) -> bytes:
    """The HTTP feed's body (`application/cloudevents-batch+json`)."""
    return b"[" + b",".join([to_json(row, base_url) for row in rows]) + b"]"


def _number(headers: Iterable[tuple[str, bytes]], wanted: str) -> int:
    for name, value in headers:
        if name == wanted:
            try:
                return int(value)
            except (ValueError, TypeError) as error:
                raise Undecodable(f"the header {wanted} is not a number") from error
    raise Undecodable(f"the header {wanted} is missing")


def _text(time: datetime) -> str:
    text = time.isoformat() if time.tzinfo is UTC else time.astimezone(UTC).isoformat()
    return text[:-6] + "Z"


@lru_cache(256)
def _type(written: bytes) -> tuple[str, int]:
    kind, _, version = written.decode().removeprefix("tamas.").rpartition(".v")
    return kind, int(version)


@lru_cache(4096)
def _inbox(source: bytes) -> UUID | None:
    _, found, inbox_id = source.decode().partition("/inboxes/")
    return UUID(inbox_id) if found else None


def _uuid(value: bytes | None) -> UUID | None:
    return None if value is None else UUID(value.decode())
