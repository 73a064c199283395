"""Answers to visitors of chats, handed off as dispatch does it: straight into the record."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from schemas.outbound import Explained, MessageAsked, MessageHandedOff, MessageResolved, MessageStarted, Said
from services.database import pool
from services.keys.ring import Ring, Subject
from services.keys.vault import Vault
from services.record.decisions import Decided, Decisions
from services.settings import Settings
from tests.bench.stand import TENANT

_CHANNEL: Final = "chat/widget"
_INBOX: Final = UUID(int=1)


class HandOffs:
    """Messages to these visitors, all asked for and begun; then each is handed off when its time comes."""

    def __init__(self, settings: Settings, visitors: Sequence[str]) -> None:
        self._decisions = Decisions(settings.record_url)
        addresses = [f"chat:v.{visitor}" for visitor in visitors]
        subjects = asyncio.run(_subjects(settings, addresses))
        self.message_ids = [uuid4() for _ in addresses]
        for message_id, address in zip(self.message_ids, addresses, strict=True):
            self._decisions.save(_begun(message_id, address, subjects[TENANT, address]))

    def hand_off(self, rate: float) -> dict[str, float]:
        """So many a second; returns when each save began, by the message's text."""
        began, found = time.perf_counter(), dict[str, float]()
        for number, message_id in enumerate(self.message_ids):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            fact = MessageHandedOff(
                message_id=message_id, attempt=1, provider_id=str(message_id), receipts_as=message_id
            )
            found[str(message_id)] = time.perf_counter()
            self._decisions.save([Decided(message_id, 4, TENANT, fact)])
        self._decisions.close()
        return found


def _begun(message_id: UUID, address: str, subject: Subject) -> list[Decided]:
    facts = (
        MessageAsked(
            message_id=message_id,
            address_id=subject.address_id,
            personal=Said(address=address, text=str(message_id)),
        ),
        MessageResolved(
            message_id=message_id,
            channel=_CHANNEL,
            inbox_id=_INBOX,
            code="asked_here",
            form="text",
            personal=Explained(address=address, why="They wrote from there."),
        ),
        MessageStarted(message_id=message_id, attempt=1, channel=_CHANNEL, inbox_id=_INBOX),
    )
    return [Decided(message_id, place, TENANT, fact, sealed_under=subject) for place, fact in enumerate(facts, 1)]


async def _subjects(settings: Settings, addresses: Sequence[str]) -> dict[tuple[str, str], Subject]:
    async with pool(settings.keys_url) as keys:
        return await Ring(keys, Vault(settings.secrets())).subjects({(TENANT, one) for one in addresses})
