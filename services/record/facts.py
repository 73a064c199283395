"""From what a channel heard to rows of the record: ids derived, the personal part sealed under its address's key."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from channels.contract import Heard, Origin
from schemas.topics import TOPIC_OF
from services.keys.ring import Subject
from services.keys.vault import event_context, seal
from services.record.append import FactRow

LIMIT_BYTES: Final = 256 * 1024
"""A fact's two parts together; longer texts are blobs with an excerpt in the fact."""


class TooLarge(ValueError):
    """A channel made a fact above the limit: a bug of the channel's, the request is parked."""


def event_id_of(origin: Origin, heard: Heard) -> UUID:
    """The same at every redelivery."""
    return origin.derive(heard.source_key, heard.fact.type)


def request_id_of(origin: Origin, source_key: str | None, body: bytes) -> UUID:
    """What a request without facts of its own is remembered by, so that its repeat is known as one."""
    return origin.derive(source_key or hashlib.sha256(body).hexdigest(), "request")


def fact_row(
    heard: Heard,
    *,
    origin: Origin,
    inbox_id: UUID,
    raw_id: UUID,
    subject: Subject,
    received_at: datetime,
    revision: int = 1,
    traceparent: str | None = None,
) -> FactRow:
    """A row of record.facts.

    Raises:
        TooLarge: more than 256 KB.
        ValueError: a text that no JSON can hold (a lone surrogate).
    """
    fact = heard.fact
    event_id = event_id_of(origin, heard)
    data, personal = fact.clear_json(), fact.personal_json()
    if len(data) + len(personal or b"") > LIMIT_BYTES:
        raise TooLarge(f"{fact.type} has {len(data) + len(personal or b'')} bytes, above the {LIMIT_BYTES} of a fact")
    return FactRow(
        event_id=event_id,
        tenant=origin.tenant,
        topic=TOPIC_OF[fact.type],
        type=fact.type,
        version=fact.version,
        subject=subject.address_id,
        inbox_id=inbox_id,
        raw_id=raw_id,
        occurred_at=heard.occurred_at or received_at,
        data=data,
        personal=None if personal is None else seal(subject.cipher, personal, event_context(event_id.bytes, revision)),
        revision=revision,
        traceparent=traceparent,
    )


def addresses(tenant: str, heard: Sequence[Heard]) -> set[tuple[str, str]]:
    """The (tenant, address) pairs whose keys these facts need."""
    return {(tenant, one.address) for one in heard}
