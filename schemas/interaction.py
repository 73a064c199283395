"""What channels saw: messages, forms, receipts. Published on the topic `interactions`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Assurance, Fact, Part

Kind = Literal["message", "call", "form", "visit"]
Direction = Literal["in", "out"]
Automatic = Literal["human", "auto_reply", "bounce", "bulk"]
DeliveryState = Literal["queued", "sent", "delivered", "read", "failed"]


class Attachment(Part):
    """What came with a message, without its name (a name is personal). Size in bytes."""

    attachment_id: UUID
    media_type: str
    bytes: int


class AttachmentName(Part):
    """The personal side of an attachment: its name, and where the provider keeps it when we hold no copy."""

    attachment_id: UUID
    name: str | None = None
    url: str | None = None


class Content(Part):
    """What a person wrote and who they are. `text` is what they wrote themselves; `full_text` also has quotes."""

    address: str
    recipient: str | None = None
    name: str | None = None
    subject: str | None = None
    text: str = ""
    full_text: str | None = None
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    attachments: tuple[AttachmentName, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)
    excerpt_of: UUID | None = None
    """The blob that holds the whole text when `text` had to be cut to keep a fact within 256 KB."""


class InteractionReceived(Fact):
    """A customer said something to us on one of our inboxes."""

    type: Literal["interaction.received"] = "interaction.received"
    version: Literal[1] = 1
    interaction_id: UUID
    kind: Kind
    direction: Direction = "in"
    channel: str
    conversation_id: UUID | None = None
    automatic: Automatic = "human"
    assurance: Assurance = "none"
    evidence: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    provider_codes: dict[str, str] = Field(default_factory=dict)
    personal: Content | None = None


class Recipient(Part):
    """Whom a receipt speaks of, and the provider's sentence."""

    address: str
    detail: str | None = None


class ReceiptReported(Fact):
    """A provider told what became of a message to a customer. `reported` is the provider's own word."""

    type: Literal["receipt.reported"] = "receipt.reported"
    version: Literal[1] = 1
    interaction_id: UUID
    channel: str
    state: DeliveryState
    reported: str
    error_code: str | None = None
    personal: Recipient | None = None


class FactWithdrawn(Fact):
    """A mended parser no longer makes this fact from the request that it came from."""

    type: Literal["fact.withdrawn"] = "fact.withdrawn"
    version: Literal[1] = 1
    withdrawn_event_id: UUID
    withdrawn_revision: int


InteractionFact = Annotated[InteractionReceived | ReceiptReported | FactWithdrawn, Field(discriminator="type")]
