"""The envelope around a fact, as every reader sees it, and the one function that reads facts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded
from schemas.conversation import (
    ConversationAnswered,
    ConversationClosed,
    ConversationJoined,
    ConversationOpened,
    ConversationReleased,
    ConversationReopened,
    ConversationTaken,
)
from schemas.customer import AddressErased, ConsentStated, PreferenceFiled, PreferenceStated
from schemas.interaction import FactWithdrawn, InteractionReceived, ReceiptReported
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
)
from schemas.parked import MailboxGapSeen, RequestParked
from schemas.setting import InboxAdded, InboxChanged, InboxDisabled, InboxKeyRotated, TenantRegistered
from schemas.topics import Topic

AnyFact = Annotated[
    InteractionReceived
    | ReceiptReported
    | CallProgressed
    | CallAnswered
    | CallEnded
    | CallMissed
    | CallRecorded
    | FactWithdrawn
    | PreferenceStated
    | PreferenceFiled
    | ConsentStated
    | AddressErased
    | ConversationOpened
    | ConversationJoined
    | ConversationAnswered
    | ConversationClosed
    | ConversationReopened
    | ConversationTaken
    | ConversationReleased
    | MessageAsked
    | MessageResolved
    | MessageStarted
    | MessageHandedOff
    | MessageRefused
    | MessageInDoubt
    | MessageReported
    | MessageJudged
    | MessageWithdrawn
    | MessageFailed
    | TenantRegistered
    | InboxAdded
    | InboxChanged
    | InboxKeyRotated
    | InboxDisabled
    | RequestParked
    | MailboxGapSeen,
    Field(discriminator="type"),
]

_FACTS: Final[TypeAdapter[AnyFact]] = TypeAdapter(AnyFact)


class Undecodable(Exception):
    """These bytes are no fact that this version knows: park them, never skip them."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact with its place in the record.

    `subject` is the address_id for what channels saw and the stream id for decisions. `position` is unique and grows
    in commit order over the whole record. Readers order a customer's events by `effective_at`, ties by position.
    """

    position: int
    event_id: UUID
    revision: int
    tenant: str
    topic: Topic
    subject: UUID
    inbox_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    fact: AnyFact


def read_fact(payload: bytes) -> AnyFact:
    """Read a fact from its published form; fields that a newer writer added are ignored.

    Raises:
        Undecodable: not JSON, an unknown type or major version, or a field that breaks the contract.
    """
    try:
        return _FACTS.validate_json(payload, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Undecodable(f"{first['msg']} at {'.'.join(str(step) for step in first['loc']) or 'the top'}") from error
