"""What other parts of the house decide, straight into the record, and what the edge told there."""

import asyncio
import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from schemas.outbound import Explained, MessageAsked, MessageHandedOff, MessageResolved, MessageStarted, Said
from services.database import pool
from services.keys.ring import Ring, Subject
from services.keys.vault import Vault
from services.record.decisions import Decided, Decisions
from services.record.reader import Reader
from tests.services.ingress.chats import Chats


async def subject_of(chats: Chats, address: str) -> Subject:
    settings = chats.settings
    async with pool(settings.keys_url) as keys:
        return (await Ring(keys, Vault(settings.secrets())).subjects({("shop", address)}))["shop", address]


async def answer_of_an_agent(chats: Chats, address: str, *texts: str, asked_at: str | None = None) -> list[UUID]:
    """A message to this visitor for each text, handed off at once, in one transaction; returns their ids.

    `asked_at` is where the customer had written, if elsewhere.
    """
    subject = await subject_of(chats, asked_at or address)
    message_ids = [uuid4() for _ in texts]
    decided: list[Decided] = []
    for message_id, text in zip(message_ids, texts, strict=True):
        asked = MessageAsked(
            message_id=message_id,
            address_id=subject.address_id,
            personal=Said(address=asked_at or address, text=text),
        )
        decided += stream(message_id, asked, *way(chats, message_id, address), subject=subject)
    await save(chats, decided)
    return message_ids


def way(
    chats: Chats, message_id: UUID, address: str, channel: str = "chat/widget", attempt: int = 1
) -> tuple[MessageResolved, MessageStarted, MessageHandedOff]:
    """Decided, begun and handed off."""
    return (
        MessageResolved(
            message_id=message_id,
            round=attempt,
            channel=channel,
            inbox_id=chats.inbox_id,
            code="asked_here",
            form="text",
            personal=Explained(address=address, why="They wrote from there."),
        ),
        MessageStarted(message_id=message_id, attempt=attempt, channel=channel, inbox_id=chats.inbox_id),
        MessageHandedOff(message_id=message_id, attempt=attempt, provider_id=str(message_id), receipts_as=uuid4()),
    )


def stream(
    message_id: UUID,
    *facts: MessageAsked | MessageResolved | MessageStarted | MessageHandedOff,
    subject: Subject,
    after: int = 0,
) -> list[Decided]:
    """These as the next decisions after so many."""
    return [
        Decided(message_id, after + place, "shop", fact, sealed_under=subject) for place, fact in enumerate(facts, 1)
    ]


async def save(chats: Chats, decided: Sequence[Decided]) -> None:
    decisions = Decisions(chats.settings.record_url)
    await asyncio.to_thread(decisions.save, decided)
    decisions.close()


async def receipts(chats: Chats) -> list[tuple[UUID, str, str]]:
    """What was reported, in the record's order: of which interaction, its state, and whose."""
    settings = chats.settings
    async with pool(settings.record_url) as record, pool(settings.keys_url) as keys:
        rows = await Reader(record, Ring(keys, Vault(settings.secrets()))).read(0, 10_000, topics=["interactions"])
    facts = [json.loads(row.payload) for row in rows if row.type == "receipt.reported"]
    assert all((one["channel"], one["reported"]) == ("chat/widget", "seen") for one in facts)
    return [(UUID(one["interaction_id"]), one["state"], one["personal"]["address"]) for one in facts]
