"""From events to the rows that are copied in; the order of values is that of the tables in `staging.sql`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter

from projections.effective import effective_at
from projections.timeline.calls import CallFact, told_of
from projections.timeline.outgoing import sending_of
from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded
from schemas.conversation import ConversationJoined, ConversationOpened
from schemas.customer import AddressErased
from schemas.event import Event
from schemas.interaction import Attachment, AttachmentName, FactWithdrawn, InteractionReceived, ReceiptReported
from schemas.outbound import (
    MessageAsked,
    MessageFailed,
    MessageHandedOff,
    MessageInDoubt,
    MessageJudged,
    MessageRefused,
    MessageReported,
    MessageResolved,
    MessageStarted,
    MessageWithdrawn,
    OutboundFact,
)

RANKS: Final = {"queued": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}
"""Delivery states as a lattice: the highest ever reported holds. A success beats a failure, whichever came first."""

_CLEAR: Final = TypeAdapter(tuple[Attachment, ...])
_NAMES: Final = TypeAdapter(tuple[AttachmentName, ...])
_OUTBOUND: Final = (
    *(MessageAsked, MessageResolved, MessageStarted, MessageHandedOff, MessageRefused),
    *(MessageInDoubt, MessageReported, MessageJudged, MessageWithdrawn, MessageFailed),
)

Row = tuple[Any, ...]


@dataclass(slots=True)
class Batch:
    """Rows of one batch by what they do."""

    messages: list[Row] = field(default_factory=list[Row])
    receipts: list[Row] = field(default_factory=list[Row])
    calls: list[Row] = field(default_factory=list[Row])
    withdrawn: list[Row] = field(default_factory=list[Row])
    erased: list[Row] = field(default_factory=list[Row])
    joined: list[Row] = field(default_factory=list[Row])
    sendings: list[Row] = field(default_factory=list[Row])


def batch_of(events: Iterable[Event]) -> Batch:
    """The rows of these events; events of other kinds make none."""
    batch = Batch()
    for event in events:
        match event.fact:
            case InteractionReceived() as fact:
                batch.messages.append(_message(event, fact))
                if fact.kind == "call":
                    batch.calls.append(_call(event, fact))
            case ReceiptReported() as fact:
                batch.receipts.append(_receipt(event, fact))
            case CallProgressed() | CallAnswered() | CallEnded() | CallMissed() | CallRecorded() as fact:
                batch.calls.append(_call(event, fact))
            case FactWithdrawn() as fact:
                batch.withdrawn.append((event.tenant, fact.withdrawn_event_id, fact.withdrawn_revision))
            case AddressErased() as fact:
                batch.erased.append((event.tenant, fact.address_id))
            case ConversationOpened() | ConversationJoined() as fact:
                batch.joined.append((event.tenant, fact.interaction_id, fact.conversation_id, event.position))
            case fact if isinstance(fact, _OUTBOUND):
                _add_outbound(batch, event, fact)
            case _:
                pass
    return batch


def _add_outbound(batch: Batch, event: Event, fact: OutboundFact) -> None:
    batch.sendings.append(_sending(event, fact))
    if isinstance(fact, MessageAsked):
        batch.messages.append(_asked(event, fact))
        if fact.conversation_id is not None:
            batch.joined.append((event.tenant, fact.message_id, fact.conversation_id, event.position))


def _message(event: Event, fact: InteractionReceived) -> Row:
    said = fact.personal
    return (
        event.tenant,
        fact.interaction_id,
        event.event_id,
        event.revision,
        event.position,
        event.subject,
        event.inbox_id,
        fact.kind,
        fact.direction,
        fact.channel,
        fact.automatic,
        fact.assurance,
        event.occurred_at,
        event.recorded_at,
        effective_at(event.occurred_at, event.recorded_at),
        _json(_CLEAR, fact.attachments),
        None,
        *(
            (None,) * 5
            if said is None
            else (
                _storable(said.address),
                _storable(said.subject),
                _storable(said.text),
                _storable(said.full_text),
                _json(_NAMES, said.attachments),
            )
        ),
    )


def _asked(event: Event, fact: MessageAsked) -> Row:
    said = fact.personal
    return (
        event.tenant,
        fact.message_id,
        event.event_id,
        event.revision,
        event.position,
        fact.address_id,
        None,
        "message",
        "out",
        # Until it is resolved, which is told right behind it.
        fact.via or "",
        "auto_reply" if fact.automatic else "human",
        "verified",
        event.occurred_at,
        event.recorded_at,
        effective_at(event.occurred_at, event.recorded_at),
        _json(_CLEAR, fact.attachments),
        fact.agent_id,
        *(
            (None,) * 5
            if said is None
            else (_storable(said.address), None, _storable(said.text), None, _json(_NAMES, said.attachments))
        ),
    )


def _sending(event: Event, fact: OutboundFact) -> Row:
    told = sending_of(fact)
    return (
        event.tenant,
        event.event_id,
        event.position,
        fact.message_id,
        event.occurred_at,
        told.rank,
        told.state,
        _storable(told.why),
        told.hold_until,
        told.again,
        told.receipts_as,
        told.round,
        told.channel,
        told.inbox_id,
        _storable(told.address),
    )


def _receipt(event: Event, fact: ReceiptReported) -> Row:
    return (
        event.tenant,
        event.event_id,
        event.revision,
        event.position,
        fact.interaction_id,
        event.subject,
        event.inbox_id,
        fact.channel,
        RANKS[fact.state],
        event.occurred_at,
        event.recorded_at,
        effective_at(event.occurred_at, event.recorded_at),
        None if fact.personal is None else _storable(fact.personal.address),
    )


def _call(event: Event, fact: InteractionReceived | CallFact) -> Row:
    told = told_of(fact)
    return (
        event.tenant,
        event.event_id,
        event.revision,
        event.position,
        fact.interaction_id,
        event.subject,
        event.inbox_id,
        fact.channel,
        told.direction,
        told.leg_id,
        told.first_leg,
        told.rank,
        told.missed,
        told.duration_seconds,
        told.assurance,
        told.recording_id,
        told.media_type,
        event.occurred_at,
        event.recorded_at,
        effective_at(event.occurred_at, event.recorded_at),
        None if fact.personal is None else _storable(fact.personal.address),
        _storable(told.url),
    )


def _json(adapter: TypeAdapter[Any], parts: Sequence[object]) -> str | None:
    return adapter.dump_json(parts, exclude_none=True).decode() if parts else None


def _storable(text: str | None) -> str | None:
    # PostgreSQL's text has no NUL.
    return text.replace("\0", "\ufffd") if text is not None and "\0" in text else text
