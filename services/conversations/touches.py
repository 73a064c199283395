"""From rows of the record to what the decision needs to know of each: who, where, when, and what it refers to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, cast
from uuid import UUID

from channels.email.thread import parents
from projections.timeline.calls import CallFact
from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded
from schemas.conversation import Ground
from schemas.customer import AddressErased
from schemas.interaction import Content, InteractionReceived
from services.keys.ring import Ring
from services.record.reader import Row, event_of
from services.reply_key import conversation_of

TOPICS: Final = ("interactions", "customers")
_CALL_TYPES: Final = (CallProgressed, CallAnswered, CallEnded, CallMissed, CallRecorded)
_MOST_REFERENCES: Final = 20
_NO_INBOX: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Mail:
    """Digests of a mail's own Message-ID and of those that it refers to, best first; they mean nothing without our key.

    `keys` are conversations that a signed key of ours in it names, with the ground that each is.
    """

    own: UUID | None
    refers_to: tuple[UUID, ...]
    keys: tuple[tuple[Ground, UUID], ...]


@dataclass(frozen=True, slots=True)
class Touch:
    """One fact about an interaction. `at` is when it was recorded; `inbox_id` is nil where there is none."""

    position: int
    tenant: str
    event_id: UUID
    revision: int
    address_id: UUID
    inbox_id: UUID
    at: datetime
    occurred_at: datetime
    fact: InteractionReceived | CallFact
    mail: Mail | None = None

    @property
    def sender(self) -> tuple[UUID, UUID]:
        """Who writes to where."""
        return self.address_id, self.inbox_id

    @property
    def is_call(self) -> bool:
        """Whether it is one of the many facts about a call."""
        return not isinstance(self.fact, InteractionReceived) or self.fact.kind == "call"


@dataclass(frozen=True, slots=True)
class Erased:
    """An address is erased: what could join it to mails is forgotten."""

    position: int
    address_id: UUID


Item: TypeAlias = Touch | Erased


async def item_of(row: Row, ring: Ring) -> Item | None:
    """What the row is to conversations; None for receipts and all that is nothing to them.

    Raises:
        Undecodable: no fact that this version knows.
    """
    event = event_of(row)
    fact = event.fact
    if isinstance(fact, AddressErased):
        return Erased(event.position, fact.address_id)
    if not isinstance(fact, (InteractionReceived, *_CALL_TYPES)):
        return None
    inbox_id, said = event.inbox_id or _NO_INBOX, fact.personal
    is_letter = isinstance(said, Content) and fact.channel.startswith("email/")
    return Touch(
        position=event.position,
        tenant=event.tenant,
        event_id=event.event_id,
        revision=event.revision,
        address_id=event.subject,
        inbox_id=inbox_id,
        at=event.recorded_at,
        occurred_at=event.occurred_at,
        fact=fact,
        mail=await _mail(ring, event.tenant, inbox_id, cast("Content", said)) if is_letter else None,
    )


def is_mail(clear: bytes) -> bool:
    """Whether this fact's personal part is needed: mails name others by their Message-ID."""
    return b'"channel":"email/' in clear


def inbox_of(touch_inbox_id: UUID) -> UUID | None:
    """As facts have it: None where there is none."""
    return None if touch_inbox_id == _NO_INBOX else touch_inbox_id


async def _mail(ring: Ring, tenant: str, inbox_id: UUID, said: Content) -> Mail:
    above = parents(said.in_reply_to, said.references)[:_MOST_REFERENCES]
    recipients = [one for one in (said.recipient, *said.recipients) if one is not None]
    keys = [
        *[("reply_key", found) for found in await _named(ring, tenant, recipients)],
        *[("message_id", found) for found in await _named(ring, tenant, above)],
    ]
    return Mail(
        own=None if said.message_id is None else await _digest(ring, tenant, inbox_id, said.message_id),
        refers_to=tuple([await _digest(ring, tenant, inbox_id, one) for one in above]),
        keys=cast("tuple[tuple[Ground, UUID], ...]", tuple(keys)),
    )


async def _named(ring: Ring, tenant: str, texts: Sequence[str]) -> Collection[UUID]:
    found = [await conversation_of(ring, tenant, text) for text in texts]
    return dict.fromkeys(one for one in found if one is not None)


async def _digest(ring: Ring, tenant: str, inbox_id: UUID, message_id: str) -> UUID:
    # Per inbox: one mail to two of ours is two interactions, each with a conversation of its own.
    return UUID(bytes=(await ring.lookup(tenant, f"message-id:{inbox_id.hex}:{message_id}"))[:16])
