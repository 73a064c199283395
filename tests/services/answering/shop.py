"""A shop that is asked by SMS and mail, a decider beside it, and the floor that answers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from channels.contract import Heard, InboundRequest, Origin
from schemas.customer import ConsentStated, PreferenceStated, Stated
from schemas.event import AnyFact, read_fact
from schemas.interaction import Content, InteractionReceived
from services.answering.answering import Answering, Asked, Draft
from services.blobs import BlobStore
from services.database import pool
from services.ingress.submission import Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.decisions import Decisions
from services.record.reader import Reader
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from tests.services.api.house import ALI, NATURAL_NAME, House, opened
from tests.services.conversations.deciding import caught_up, deciding, rows

SARA = "mailto:sara@example.com"
MAIL = NewInbox("email/smtp", "Help desk", "help@shop.example")


@dataclass
class Shop:
    house: House
    answering: Answering
    decisions: Decisions
    ring: Ring
    record: Any
    mail_inbox: UUID

    @property
    def settings(self) -> Settings:
        return self.house.settings

    async def hear(self, *heard: Heard) -> None:
        await self.house.hear(heard)
        await caught_up(self.settings)

    async def hear_on(self, inbox_id: UUID, *heard: Heard) -> None:
        origin = Origin("shop", f"other:{inbox_id}")
        request = InboundRequest("POST", "https://x.example/hooks/o", (), b"x", datetime.now(UTC), origin)
        await self.house.intake.submit(Submission(request, inbox_id, heard, source_key=None))
        await caught_up(self.settings)

    def add_number(self, number: str) -> UUID:
        with Tenancy(self.settings) as tenancy:
            new = NewInbox("sms/twilio", f"Number {number}", number, {}, {"auth_token": "twilio-secret"})
            return tenancy.add_inbox("shop", new).inbox.inbox_id

    def close_inbox(self, inbox_id: UUID) -> None:
        with Tenancy(self.settings) as tenancy:
            tenancy.disable("shop", inbox_id)

    async def conversation(self) -> UUID:
        """The one that was opened last."""
        found = rows(
            self.settings,
            "SELECT originator_id FROM record.decisions WHERE type = 'conversation.opened' ORDER BY position DESC",
        )
        return found[0][0]

    async def asked_by(self, heard: Heard, *more: Heard) -> UUID:
        await self.hear(heard, *more)
        return await self.conversation()

    async def ask(self, of: UUID, draft: Draft | str = "Soon!", **more: Any) -> Asked:
        said = Draft(draft) if isinstance(draft, str) else draft
        given: dict[str, Any] = {"command_id": uuid4(), "now": datetime.now(UTC), **more}
        return await self.answering.ask("shop", of, said, **given)

    def facts(self, topic: str) -> list[AnyFact]:
        """Clear parts, in order."""
        found = rows(self.settings, f"SELECT state FROM record.decisions WHERE topic = '{topic}' ORDER BY position")
        return [read_fact(bytes(state)) for (state,) in found]

    def types(self, topic: str) -> list[str]:
        return [fact.type.partition(".")[2] for fact in self.facts(topic)]


@asynccontextmanager
async def shopping(settings: Settings) -> AsyncGenerator[Shop]:
    async with (
        opened(settings, projecting=False) as house,
        pool(settings.record_url) as record,
        pool(settings.keys_url) as keys,
        deciding(settings),
    ):
        with Tenancy(settings) as tenancy:
            mail = tenancy.add_inbox("shop", MAIL).inbox.inbox_id
        ring, decisions = Ring(keys, Vault(settings.secrets())), Decisions(settings.record_url)
        answering = Answering(record, Reader(record, ring), ring, decisions, BlobStore(settings.blob_url))
        yield Shop(house, answering, decisions, ring, record, mail)
        await asyncio.to_thread(decisions.close)


def sms(key: str, text: str = "Where is it?", *, address: str = ALI, ago: timedelta = timedelta(minutes=2)) -> Heard:
    fact = InteractionReceived(
        interaction_id=_interaction(key),
        kind="message",
        channel="sms/twilio",
        personal=Content(address=address, text=text),
    )
    return Heard(key, address, fact, datetime.now(UTC) - ago)


def form(key: str, address: str, **fields: str) -> Heard:
    fact = InteractionReceived(
        interaction_id=_interaction(key),
        kind="form",
        channel="forms/web",
        personal=Content(address=address, text="Call me", fields=fields),
    )
    return Heard(key, address, fact, datetime.now(UTC))


def prefers(key: str, address: str, channels: Sequence[str]) -> Heard:
    fact = PreferenceStated(
        interaction_id=_interaction(key), channels=tuple(channels), personal=Stated(address=address)
    )
    return Heard(f"{key}/p", address, fact)


def consents(key: str, address: str, *, granted: bool = True, channel: str = "forms/web") -> Heard:
    fact = ConsentStated(channel=channel, purpose="service", granted=granted, personal=Stated(address=address))
    return Heard(f"{key}/c", address, fact)


def _interaction(key: str) -> UUID:
    return Origin("shop", NATURAL_NAME).derive(key, "interaction")
