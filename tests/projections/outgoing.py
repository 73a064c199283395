"""What is told of our messages, for read models."""

from datetime import datetime, timedelta
from uuid import UUID

from schemas.event import Event
from schemas.interaction import Attachment, AttachmentName, DeliveryState
from schemas.outbound import (
    Explained,
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
    Said,
)
from tests.projections.conversations import conversation_id
from tests.projections.story import INBOX, NOON, TENANT, address_id, event

AGENT = UUID(int=0xA6E)
FILE = UUID(int=0xF1)
OTHER_INBOX = UUID(int=8)


def message_id(number: int) -> UUID:
    return UUID(int=0x3E00 + number)


def receipts_as(number: int, attempt: int = 1) -> UUID:
    """The interaction that receipts name; small numbers are those of `story.interaction_id` too."""
    return UUID(int=0x1000 + 90 + number * 2 + attempt)


def told(position: int, fact: OutboundFact, tenant: str = TENANT) -> Event:
    made = event(position, fact, event_id=UUID(int=0x0B00_0000 + position), tenant=tenant)
    return Event(
        made.position, made.event_id, 1, tenant, "outbound", fact.message_id, None, made.occurred_at,
        made.recorded_at, fact,
    )  # fmt: skip


def asked(
    position: int,
    number: int,
    *,
    address: int = 1,
    of: int | None = 1,
    text: str = "سفارش شما فرستاده شد",
    agent: UUID | None = AGENT,
    automatic: bool = False,
    tenant: str = TENANT,
    who: str | None = None,
) -> Event:
    fact = MessageAsked(
        message_id=message_id(number),
        address_id=address_id(address),
        conversation_id=None if of is None else conversation_id(of),
        agent_id=agent,
        automatic=automatic,
        attachments=(Attachment(attachment_id=FILE, media_type="application/pdf", bytes=3),),
        personal=Said(
            address=who or f"mailto:{address}@example.com",
            text=text,
            attachments=(AttachmentName(attachment_id=FILE, name="invoice.pdf"),),
        ),
    )
    return told(position, fact, tenant)


def resolved(
    position: int,
    number: int,
    *,
    round: int = 1,  # noqa: A002 - the field's name
    channel: str | None = "sms/twilio",
    inbox: UUID | None = INBOX,
    hold_until: datetime | None = None,
    goes_to: str | None = "tel:+989121234567",
) -> Event:
    fact = MessageResolved(
        message_id=message_id(number),
        round=round,
        channel=channel,
        inbox_id=None if channel is None else inbox,
        hold_until=hold_until,
        personal=Explained(address=goes_to, why="They answered there last."),
    )
    return told(position, fact)


def started(position: int, number: int, attempt: int = 1) -> Event:
    fact = MessageStarted(message_id=message_id(number), attempt=attempt, channel="sms/twilio", inbox_id=INBOX)
    return told(position, fact)


def handed_off(position: int, number: int, attempt: int = 1) -> Event:
    fact = MessageHandedOff(
        message_id=message_id(number),
        attempt=attempt,
        provider_id="SM1",
        receipts_as=receipts_as(number, attempt),
    )
    return told(position, fact)


def refused(position: int, number: int, attempt: int = 1, *, retry_after: float | None = None) -> Event:
    retry_at = None if retry_after is None else NOON + timedelta(seconds=retry_after)
    why = "The provider is busy." if retry_at else "The number is not in service."
    fact = MessageRefused(message_id=message_id(number), attempt=attempt, code="x", why=why, retry_at=retry_at)
    return told(position, fact)


def in_doubt(position: int, number: int, attempt: int = 1) -> Event:
    fact = MessageInDoubt(message_id=message_id(number), attempt=attempt, why="No answer came.")
    return told(position, fact)


def reported(position: int, number: int, state: DeliveryState, attempt: int = 1) -> Event:
    code = "30003" if state == "failed" else None
    return told(position, MessageReported(message_id=message_id(number), attempt=attempt, state=state, code=code))


def judged(position: int, number: int, *, arrived: bool) -> Event:
    return told(position, MessageJudged(message_id=message_id(number), judged="arrived" if arrived else "not_sent"))


def taken_back(position: int, number: int) -> Event:
    return told(position, MessageWithdrawn(message_id=message_id(number)))


def failed(position: int, number: int) -> Event:
    return told(position, MessageFailed(message_id=message_id(number), code="x", why="It could not be delivered."))
