"""A decider on a real record: facts written as ingress does, what was decided, and what the lookup tables hold."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import psycopg

from schemas.conversation import ConversationFact
from schemas.customer import AddressErased
from schemas.event import AnyFact, read_fact
from schemas.interaction import Automatic, Content, InteractionReceived
from schemas.topics import TOPIC_OF
from services import database
from services.conversations import app
from services.deciding.leader import Leader
from services.keys.ring import Ring
from services.keys.vault import Vault, event_context, seal
from services.record.append import Appender, FactRow
from services.settings import Settings
from tests.services.relay.wire import until

INBOX = UUID(int=0x111)
TABLES = ("conversations", "conversation_senders", "conversation_mails", "conversation_calls")


@dataclass
class Writer:
    """Appends facts of made-up customers; ids derive from a number, so that the same is written again as the same."""

    settings: Settings
    appender: Appender
    ring: Ring

    async def write(
        self, *facts: tuple[str, AnyFact], revision: int = 1, key: str | None = None, inbox_id: UUID = INBOX
    ) -> list[UUID]:
        """(address, fact) in one transaction; their event ids."""
        subjects = await self.ring.subjects({("shop", address) for address, _ in facts})
        rows: list[FactRow] = []
        for number, (address, fact) in enumerate(facts):
            subject = subjects["shop", address]
            event_id = uuid4() if key is None else uuid5(INBOX, f"{key}/{number}")
            personal = fact.personal_json()
            rows.append(
                FactRow(
                    event_id=event_id,
                    tenant="shop",
                    topic=TOPIC_OF[fact.type],
                    type=fact.type,
                    version=fact.version,
                    subject=subject.address_id,
                    inbox_id=inbox_id,
                    raw_id=uuid4(),
                    occurred_at=datetime.now(UTC),
                    data=fact.clear_json(),
                    personal=None
                    if personal is None
                    else seal(subject.cipher, personal, event_context(event_id.bytes, revision)),
                    revision=revision,
                )
            )
        await self.appender.new_of([(row.event_id, revision, "shop", row.raw_id or row.event_id) for row in rows])
        await self.appender.commit(rows)
        return [row.event_id for row in rows]

    async def erase(self, address: str) -> None:
        """As the fact of it stands in the record; the key itself stays."""
        subject = (await self.ring.subjects({("shop", address)}))["shop", address]
        await self.write((address, AddressErased(address_id=subject.address_id, epoch=1)))


@contextlib.asynccontextmanager
async def writing(settings: Settings) -> AsyncGenerator[Writer]:
    async with database.pool(settings.keys_url) as keys:
        appender = await Appender.open(settings.record_url)
        try:
            yield Writer(settings, appender, Ring(keys, Vault(settings.secrets())))
        finally:
            await appender.close()


def sms(address: str = "tel:+989121234567", text: str = "سلام") -> tuple[str, AnyFact]:
    fact = InteractionReceived(
        interaction_id=uuid4(), kind="message", channel="sms/twilio", personal=Content(address=address, text=text)
    )
    return address, fact


def mail(
    message_id: str | None,
    *references: str,
    address: str = "mailto:ali@example.com",
    automatic: Automatic = "human",
    recipient: str = "help@shop.example",
) -> tuple[str, AnyFact]:
    fact = InteractionReceived(
        interaction_id=uuid4(),
        kind="message",
        channel="email/smtp",
        automatic=automatic,
        personal=Content(
            address=address, text="hello", message_id=message_id, references=references, recipient=recipient
        ),
    )
    return address, fact


@contextlib.asynccontextmanager
async def deciding(settings: Settings) -> AsyncGenerator[Leader]:
    """A decider that runs in this process."""
    stop, ready, deciders = asyncio.Event(), asyncio.Event(), list[Leader]()
    running = asyncio.create_task(app.run(settings, stop, ready.set, started=deciders.append))
    await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield deciders[0]
    finally:
        stop.set()
        await running


async def caught_up(settings: Settings, seconds: float = 60.0) -> None:
    """Until everything that is in the record is decided on."""
    await until(lambda: rows(settings, BEHIND) == [(0,)], seconds)


BEHIND = """
    SELECT count(*) FROM record.facts WHERE topic = 'interactions'
    AND position > coalesce((SELECT position FROM service.deciders WHERE decider = 'conversations'), 0)"""


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def execute(settings: Settings, statement: str, arguments: Sequence[object] = ()) -> None:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        connection.execute(statement.encode(), arguments)


def decided(settings: Settings) -> list[ConversationFact]:
    found = rows(settings, "SELECT state FROM record.decisions WHERE topic = 'cases' ORDER BY position")
    return [read_fact(bytes(state)) for (state,) in found]  # type: ignore[misc]


def tables(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All lookups, without how fast mails came."""
    hidden = {"conversation_senders": "address_id, inbox_id, tenant, conversation_id"}
    return {
        name: sorted(rows(settings, f"SELECT {hidden.get(name, '*')} FROM service.{name}"), key=str) for name in TABLES
    }
