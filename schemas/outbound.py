"""What became of each answer of ours. Published on the topic `outbound`; the stream is the message.

The order is asked, resolved, started, then handed off, refused or in doubt; what a provider reports comes after. Texts
and addresses are in the personal parts, sealed under the key of `message.asked`'s `address_id`; reasons in the clear
parts are codes and sentences of ours that name nobody.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Fact, Part
from schemas.interaction import Attachment, AttachmentName, DeliveryState


class Said(Part):
    """What shall be said to whom. `address` is the one that asked, before it is decided where the answer goes.

    `reason` is the agent's own, for a channel that they chose.
    """

    address: str
    text: str = ""
    html: str | None = None
    reason: str | None = None
    attachments: tuple[AttachmentName, ...] = ()


class MessageAsked(Fact):
    """Somebody wants something said to a customer. `via` is the channel that an agent chose; `agent_id` None: no agent.

    `automatic`: nobody wrote it for this customer; it must say so and is never an answer to a machine. Until
    `undo_until` it may be taken back, and nothing is sent. `answers` is the interaction that it answers.
    """

    type: Literal["message.asked"] = "message.asked"
    version: Literal[1] = 1
    message_id: UUID
    address_id: UUID
    conversation_id: UUID | None = None
    answers: UUID | None = None
    agent_id: UUID | None = None
    via: str | None = None
    automatic: bool = False
    undo_until: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    personal: Said | None = None


class RejectedWay(Part):
    """A way that was not taken, and the code of why. No `inbox_id`: we have no such inbox."""

    channel: str
    inbox_id: UUID | None = None
    code: str


class RejectedWhy(Part):
    """The personal side of the rejected way at the same place: where it leads, and why not in a sentence."""

    address: str | None = None
    why: str


class Explained(Part):
    """Where the answer goes and why, in sentences that agents read. No `address`: there is no way."""

    address: str | None = None
    why: str
    hold_why: str | None = None
    rejected: tuple[RejectedWhy, ...] = ()


class MessageResolved(Fact):
    """It is decided where a message goes, or that it can go nowhere: then without `channel`, `inbox_id` and `code`.

    `hold_until` is when the customer's quiet hours end. `segments` are of short messages, in this `encoding`. A second
    one, of `round` 2, is the fallback: the first way brought no delivery in time.
    """

    type: Literal["message.resolved"] = "message.resolved"
    version: Literal[1] = 1
    message_id: UUID
    round: int = 1
    channel: str | None = None
    inbox_id: UUID | None = None
    code: str | None = None
    form: Literal["text", "html", "speech"] | None = None
    encoding: Literal["gsm7", "ucs2"] | None = None
    segments: int | None = None
    language: str | None = None
    hold_until: datetime | None = None
    rejected: tuple[RejectedWay, ...] = ()
    personal: Explained | None = None


class MessageStarted(Fact):
    """The next thing that happens is the first byte to the provider. Attempts count from 1 over all rounds."""

    type: Literal["message.started"] = "message.started"
    version: Literal[1] = 1
    message_id: UUID
    attempt: int
    channel: str
    inbox_id: UUID


class MessageHandedOff(Fact):
    """The provider took it. `receipts_as` is the interaction that its receipts will name."""

    type: Literal["message.handed_off"] = "message.handed_off"
    version: Literal[1] = 1
    message_id: UUID
    attempt: int
    provider_id: str
    receipts_as: UUID


class MessageRefused(Fact):
    """The provider did not take it. With `retry_at` it is tried again then; without, this way is over."""

    type: Literal["message.refused"] = "message.refused"
    version: Literal[1] = 1
    message_id: UUID
    attempt: int
    code: str
    why: str
    retry_at: datetime | None = None


class MessageInDoubt(Fact):
    """Nobody knows whether the provider took it: it is not sent again before a receipt or a person says so."""

    type: Literal["message.in_doubt"] = "message.in_doubt"
    version: Literal[1] = 1
    message_id: UUID
    attempt: int
    why: str


class MessageReported(Fact):
    """A receipt: what the provider says became of it. It is told only where it says more than was known."""

    type: Literal["message.reported"] = "message.reported"
    version: Literal[1] = 1
    message_id: UUID
    attempt: int
    state: DeliveryState
    code: str | None = None


class MessageJudged(Fact):
    """A person settled a doubt: it `arrived`, or it is to be sent again (`not_sent`)."""

    type: Literal["message.judged"] = "message.judged"
    version: Literal[1] = 1
    message_id: UUID
    judged: Literal["arrived", "not_sent"]
    agent_id: UUID | None = None


class MessageWithdrawn(Fact):
    """It was taken back before anything was sent."""

    type: Literal["message.withdrawn"] = "message.withdrawn"
    version: Literal[1] = 1
    message_id: UUID
    agent_id: UUID | None = None


class MessageFailed(Fact):
    """It did not reach the customer and nothing more is tried. `why` is a sentence for the agent."""

    type: Literal["message.failed"] = "message.failed"
    version: Literal[1] = 1
    message_id: UUID
    code: str
    why: str


OutboundFact = Annotated[
    MessageAsked
    | MessageResolved
    | MessageStarted
    | MessageHandedOff
    | MessageRefused
    | MessageInDoubt
    | MessageReported
    | MessageJudged
    | MessageWithdrawn
    | MessageFailed,
    Field(discriminator="type"),
]
