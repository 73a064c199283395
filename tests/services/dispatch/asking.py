"""Messages asked for as the API does it, on a real record: conversations, ways, and what became of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from schemas.conversation import ConversationAnswered, ConversationJoined, ConversationOpened
from schemas.event import AnyFact
from schemas.interaction import Attachment, AttachmentName, Content, InteractionReceived, ReceiptReported, Recipient
from schemas.outbound import (
    Explained,
    MessageAsked,
    MessageResolved,
    MessageWithdrawn,
    OutboundFact,
    RejectedWay,
    RejectedWhy,
    Said,
)
from services.deciding.leader import Leader
from services.dispatch import app
from services.keys.ring import Subject
from services.record.decisions import Decided, Decisions
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.conversations.deciding import Writer, rows, until, writing
from tests.services.dispatch.provider import Provider, makers, wired_to_http

CUSTOMER = "tel:+989121234567"
LETTER = "mailto:ali@example.com"


@dataclass
class Asking:
    """Asks for messages."""

    settings: Settings
    decisions: Decisions
    writer: Writer
    inboxes: dict[str, UUID]

    async def open(self, address: str = CUSTOMER, channel: str = "sms/twilio") -> UUID:
        """A conversation that a message of this customer began; answered, as by `ask`."""
        return (await self.open_all(1, address, channel))[0]

    async def open_all(self, count: int, address: str = CUSTOMER, channel: str = "sms/twilio") -> list[UUID]:
        """So many of them."""
        decided: list[Decided] = []
        for _ in range(count):
            decided += await self._opened(uuid4(), address, channel)
        await asyncio.to_thread(self.decisions.save, decided)
        return [one.stream_id for one in decided if one.version == 1]

    async def _opened(self, conversation_id: UUID, address: str, channel: str) -> list[Decided]:
        subject = (await self.writer.ring.subjects({("shop", address)}))["shop", address]
        opened = ConversationOpened(
            conversation_id=conversation_id,
            address_id=subject.address_id,
            inbox_id=self.inboxes[channel],
            channel=channel,
            interaction_id=uuid4(),
            why="no_conversation",
            brought="message",
            state="waiting",
            since_at=datetime.now(UTC),
            waits_for="message",
        )
        answered = ConversationAnswered(conversation_id=conversation_id, since_at=datetime.now(UTC))
        return [
            Decided(conversation_id, 1, "shop", opened, causation_id=uuid4()),
            Decided(conversation_id, 2, "shop", answered),
        ]

    async def ask(self, text: str, conversation_id: UUID | None = None, **more: Any) -> UUID:
        """Ask for one message; see `facts`."""
        return (await self.ask_all([(text, conversation_id)], **more))[0]

    async def ask_all(self, wanted: Sequence[tuple[str, UUID | None]], **more: Any) -> list[UUID]:
        """In one transaction."""
        decided: list[Decided] = []
        ids: list[UUID] = []
        for text, conversation_id in wanted:
            message_id = uuid4()
            asker = more.get("address", CUSTOMER)
            subject = (await self.writer.ring.subjects({("shop", asker)}))["shop", asker]
            facts = self._facts(message_id, subject, text, conversation_id, **more)
            decided += [
                Decided(message_id, place, "shop", fact, sealed_under=subject) for place, fact in enumerate(facts, 1)
            ]
            ids.append(message_id)
        await asyncio.to_thread(self.decisions.save, decided)
        return ids

    def _facts(
        self,
        message_id: UUID,
        subject: Subject,
        text: str,
        conversation_id: UUID | None,
        *,
        address: str = CUSTOMER,
        channel: str = "sms/twilio",
        undo_seconds: float = 0,
        hold_until: datetime | None = None,
        then: tuple[str, str] | None = None,
        attachment: tuple[UUID, str] | None = None,
        automatic: bool = False,
    ) -> tuple[MessageAsked, MessageResolved]:
        """`then`: the channel and address that would have been possible too."""
        undo_until = datetime.now(UTC) + timedelta(seconds=undo_seconds) if undo_seconds else None
        files = (
            () if attachment is None else (Attachment(attachment_id=attachment[0], media_type="text/plain", bytes=1),)
        )
        names = () if attachment is None else (AttachmentName(attachment_id=attachment[0], name=attachment[1]),)
        asked = MessageAsked(
            message_id=message_id,
            address_id=subject.address_id,
            conversation_id=conversation_id,
            automatic=automatic,
            undo_until=undo_until,
            attachments=files,
            personal=Said(address=address, text=text, attachments=names),
        )
        ways, whys = (), ()
        if then is not None:
            ways = (RejectedWay(channel=then[0], inbox_id=self.inboxes[then[0]], code="less_preferred"),)
            whys = (RejectedWhy(address=then[1], why="The other comes first."),)
        resolved = MessageResolved(
            message_id=message_id,
            channel=channel,
            inbox_id=self.inboxes[channel],
            code="question",
            form="text",
            language="fa",
            hold_until=hold_until,
            rejected=ways,
            personal=Explained(address=address, why="The customer asked there.", rejected=whys),
        )
        return asked, resolved

    def withdraw(self, message_id: UUID, version: int = 3) -> None:
        """As the API saves it."""
        self.decisions.save([Decided(message_id, version, "shop", MessageWithdrawn(message_id=message_id))])

    async def report(
        self, receipts_as: UUID, state: Any, *, address: str = CUSTOMER, channel: str = "sms/twilio"
    ) -> None:
        """A receipt, as a channel reads it."""
        fact = ReceiptReported(
            interaction_id=receipts_as,
            channel=channel,
            state=state,
            reported=state,
            personal=Recipient(address=address),
        )
        await self.hear(address, fact, channel)

    async def hear(self, address: str, fact: AnyFact, channel: str = "sms/twilio") -> UUID:
        """A fact of this customer's at this inbox; returns its event."""
        (event_id,) = await self.writer.write((address, fact), inbox_id=self.inboxes[channel])
        return event_id

    async def write(self, address: str = CUSTOMER) -> None:
        """The customer writes again."""
        fact = InteractionReceived(
            interaction_id=uuid4(), kind="message", channel="sms/twilio", personal=Content(address=address, text="?")
        )
        await self.hear(address, fact)

    def join(self, conversation_id: UUID) -> None:
        """Something else of the customer's belongs to it too."""
        joined = ConversationJoined(
            conversation_id=conversation_id,
            interaction_id=uuid4(),
            interactions=2,
            why="reply_key",
            brought="message",
            state="waiting",
            since_at=datetime.now(UTC),
            waits_for="message",
        )
        self.decisions.save([Decided(conversation_id, 3, "shop", joined)])

    def told(self, message_id: UUID) -> list[str]:
        """What became of it, in words."""
        return [one.fact.type.partition(".")[2] for one in self.decisions.load([message_id])[message_id]]

    def facts(self, message_id: UUID) -> list[OutboundFact]:
        return [one.fact for one in self.decisions.load([message_id])[message_id]]  # type: ignore[misc]

    async def until_told(self, message_id: UUID, *words: str) -> None:
        """Until this became of it."""
        await until(lambda: self.told(message_id)[2:] == list(words), 20)


@contextlib.asynccontextmanager
async def asking(settings: Settings, **inbox_settings: str) -> AsyncGenerator[Asking]:
    """A tenant with an inbox of each kind."""
    news = {
        "sms/twilio": NewInbox("sms/twilio", "Help", "+982112345678", inbox_settings, {"auth_token": "a"}),
        "email/smtp": NewInbox("email/smtp", "Letters", "help@shop.example", {}, {}),
        "chat/widget": NewInbox("chat/widget", "Chat", "", {}, {}),
    }
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("shop", "Shop"))
        inboxes = {channel: tenancy.add_inbox("shop", new).inbox.inbox_id for channel, new in news.items()}
    decisions = Decisions(settings.record_url)
    async with writing(settings) as writer:
        try:
            yield Asking(settings, decisions, writer, inboxes)
        finally:
            decisions.close()


@contextlib.asynccontextmanager
async def dispatching(settings: Settings, provider: Provider, *, idempotent: bool = False) -> AsyncGenerator[Leader]:
    """Dispatch in this process."""
    stop, ready, found = asyncio.Event(), asyncio.Event(), list[Leader]()

    async with wired_to_http() as wires:
        running = asyncio.create_task(
            app.run_with(
                settings,
                stop,
                ready.set,
                makers=makers(provider.url, idempotent=idempotent),
                wires=wires,
                started=found.append,
            )
        )
        await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield found[0]
        finally:
            stop.set()
            await running


def states(settings: Settings) -> dict[UUID, str]:
    return dict(rows(settings, "SELECT message_id, state FROM service.messages"))
