"""Opening a conversation of 20,000 entries by the API: its newest page, and one from the middle."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import httpx

from projections.queues.projection import QUEUES
from projections.timeline.projection import TIMELINE
from schemas.event import Event
from services.api.cursor import encoded
from services.settings import Settings
from services.tenancy.tokens import add_token
from tests.bench.figures import Figure, single
from tests.bench.stand import TENANT, Servers, add_inbox, running
from tests.projections.conversations import conversation_id, joined, opened
from tests.projections.story import NOON, message
from tests.projections.tables import tables_of

_ENTRIES = 20_000
_BATCH = 2_000
_ROUNDS = 30


def conversation(found: Servers) -> list[Figure]:
    """Read models filled as by a projector; times are those of a client on this machine."""
    settings = found.settings()
    add_inbox(settings)
    _, secret = add_token(settings.record_url, TENANT, "bench", "agent", None)
    asyncio.run(_filled(settings))
    with running(settings, "api") as worker:
        path = f"/api/v1/conversations/{conversation_id(1)}"
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=worker.addresses["api"], headers=headers) as client:
            newest = [_asked(client, path) for _ in range(_ROUNDS)]
            middle = encoded(NOON + timedelta(seconds=_ENTRIES), _ENTRIES)
            further = [_asked(client, f"{path}?cursor={middle}") for _ in range(_ROUNDS)]
    return [
        single(f"opening a conversation of {_ENTRIES:,} entries", newest, "s", "≤ 1"),
        single(f"a page from the middle of {_ENTRIES:,} entries", further, "s", "≤ 1"),
    ]


def _asked(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - began
    assert len(answer.json()["items"]) == 50, answer.text
    return took


async def _filled(settings: Settings) -> None:
    async with tables_of(settings, TIMELINE) as timeline, tables_of(settings, QUEUES) as queues:
        for first in range(1, _ENTRIES + 1, _BATCH):
            batch = [one for number in range(first, first + _BATCH) for one in _entry(number)]
            await timeline.apply(batch)
            await queues.apply(batch)


def _entry(number: int) -> list[Event]:
    said = message(2 * number, number, text="سلام، سفارش من هنوز نرسیده است. " * 3, tenant=TENANT)
    if number == 1:
        return [said, opened(3, 1, 1, tenant=TENANT)]
    return [said, replace(joined(2 * number + 1, 1, number, number=number), tenant=TENANT)]
