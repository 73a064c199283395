"""Events for read models: made by hand, small, with ids that a reader can tell apart."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.customer import AddressErased
from schemas.event import AnyFact, Event
from schemas.interaction import (
    Attachment,
    AttachmentName,
    Content,
    DeliveryState,
    FactWithdrawn,
    InteractionReceived,
    ReceiptReported,
    Recipient,
)
from schemas.topics import TOPIC_OF

TENANT: Final = "acme"
NOON: Final = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
INBOX: Final = UUID(int=7)


def interaction_id(number: int) -> UUID:
    return UUID(int=0x1000 + number)


def address_id(number: int) -> UUID:
    return UUID(int=0xA000 + number)


def event(
    position: int,
    fact: AnyFact,
    *,
    event_id: UUID,
    revision: int = 1,
    address: int = 1,
    occurred_at: datetime | None = None,
    tenant: str = TENANT,
) -> Event:
    recorded_at = NOON + timedelta(seconds=position)
    return Event(
        position=position,
        event_id=event_id,
        revision=revision,
        tenant=tenant,
        topic=TOPIC_OF[fact.type],
        subject=address_id(address),
        inbox_id=INBOX if TOPIC_OF[fact.type] == "interactions" else None,
        occurred_at=occurred_at or recorded_at,
        recorded_at=recorded_at,
        fact=fact,
    )


def message(
    position: int,
    number: int,
    *,
    revision: int = 1,
    address: int = 1,
    text: str = "سلام",
    occurred_at: datetime | None = None,
    tenant: str = TENANT,
) -> Event:
    attachment = UUID(int=0xF000 + number)
    fact = InteractionReceived(
        interaction_id=interaction_id(number),
        kind="message",
        channel="email/smtp",
        assurance="claimed",
        attachments=(Attachment(attachment_id=attachment, media_type="application/pdf", bytes=10),),
        personal=Content(
            address=f"mailto:{address}@example.com",
            subject=f"subject {number}",
            text=f"{text} r{revision}",
            full_text="> quoted",
            attachments=(AttachmentName(attachment_id=attachment, name=f"{number}.pdf"),),
        ),
    )
    made = UUID(int=0xE000 + number)
    return event(
        position, fact, event_id=made, revision=revision, address=address, occurred_at=occurred_at, tenant=tenant
    )


def receipt(
    position: int, number: int, state: DeliveryState, *, key: int, revision: int = 1, address: int = 1
) -> Event:
    fact = ReceiptReported(
        interaction_id=interaction_id(number),
        channel="sms/twilio",
        state=state,
        reported=state,
        personal=Recipient(address=f"mailto:{address}@example.com"),
    )
    return event(position, fact, event_id=UUID(int=0xC000 + key), revision=revision, address=address)


def withdrawal(position: int, of: Event) -> Event:
    fact = FactWithdrawn(withdrawn_event_id=of.event_id, withdrawn_revision=of.revision)
    return event(position, fact, event_id=UUID(int=0xD000_0000 + position), address=of.subject.int - 0xA000)


def erasure(position: int, address: int) -> Event:
    fact = AddressErased(address_id=address_id(address), epoch=1)
    return event(position, fact, event_id=UUID(int=0xDD00_0000 + position), address=address)


def story() -> list[Event]:
    """Some of everything."""
    first = message(1, 1)
    mended = message(6, 2, revision=2, text="mended")
    early = receipt(3, 3, "delivered", key=31)
    return [
        first,
        message(2, 2),
        early,
        receipt(4, 3, "sent", key=32),
        message(5, 3),
        mended,
        receipt(7, 4, "failed", key=41),
        message(8, 5, address=2),
        withdrawal(9, first),
        withdrawal(10, early),
        erasure(11, 2),
        message(12, 6, address=2),
        message(13, 7, tenant="other"),
    ]
