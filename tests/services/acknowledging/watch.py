"""A shop whose inboxes acknowledge, the decider that does it, and what it asked for."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from channels.contract import Heard, Origin
from schemas.interaction import Automatic, Content, InteractionReceived
from schemas.outbound import MessageAsked
from schemas.reference import reference
from services.acknowledging import app
from services.acknowledging.session import Told
from services.record.reader import Reader, event_of
from services.settings import Settings
from services.tenancy.store import Tenancy
from tests.services.answering.shop import SARA, Shop
from tests.services.conversations.deciding import rows, until


@dataclass
class Watch:
    """What the decider told, and when it has seen everything."""

    settings: Settings
    told: Told

    async def seen(self) -> None:
        """Until all that is in the record is acknowledged or passed."""
        await until(lambda: self.told.progress.position >= _head(self.settings), 20)

    def passed(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.told.outcomes.items() if outcome != "asked"}


@contextlib.asynccontextmanager
async def acknowledging(settings: Settings, **more: Any) -> AsyncGenerator[Watch]:
    """The decider in this process; a `clock` may be given."""
    stop, ready, found = asyncio.Event(), asyncio.Event(), list[Told]()
    running = asyncio.create_task(app.run(settings, stop, ready.set, started=found.append, **more))
    await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        watch = Watch(settings, found[0])
        # Its first start begins at the end that the record has then.
        await until(lambda: bool(rows(settings, _BEGUN)) or running.done())
        yield watch
    finally:
        stop.set()
        await running


def switch(shop: Shop, inbox_id: UUID | None = None, value: str = "on", **texts: str) -> None:
    """On, with texts of one's own by language; off."""
    settings = {"acknowledge": value} | {f"acknowledge_text_{language}": text for language, text in texts.items()}
    with Tenancy(shop.settings) as tenancy:
        tenancy.change_inbox("shop", inbox_id or shop.house.inboxes["shop"], settings, {})


async def said(shop: Shop) -> list[str]:
    """The texts that were asked for, in order."""
    return [one.personal.text for one in await asked(shop) if one.personal is not None]


async def asked(shop: Shop) -> list[MessageAsked]:
    found = await Reader(shop.record, shop.ring).read(0, 10_000, topics=["outbound"])
    return [fact for row in found if isinstance(fact := event_of(row).fact, MessageAsked)]


def first_reference(settings: Settings) -> str:
    """Of the first interaction in the record, as its timeline shows it."""
    found = rows(settings, "SELECT event_id FROM record.facts WHERE type = 'interaction.received' ORDER BY position")
    return reference(found[0][0])


def mail(
    key: str, *, address: str = SARA, automatic: Automatic = "human", ago: timedelta = timedelta(0), **more: Any
) -> Heard:
    fact = InteractionReceived(
        interaction_id=Origin("shop", "mail").derive(key, "interaction"),
        kind="message",
        channel="email/smtp",
        automatic=automatic,
        personal=Content(
            address=address, text="Where is it?", subject="My order", message_id=f"{key}@example.com", **more
        ),
    )
    return Heard(key, address, fact, datetime.now(UTC) - ago)


def later(**by: int) -> Callable[[], datetime]:
    """A clock that is ahead."""
    return lambda: datetime.now(UTC) + timedelta(**by)


def _head(settings: Settings) -> int:
    told = "SELECT coalesce(max(position), 0) FROM record.decisions WHERE topic IN ('cases', 'settings')"
    return rows(settings, told)[0][0]


_BEGUN = "SELECT 1 FROM service.deciders WHERE decider = 'acknowledging'"
