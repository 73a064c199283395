"""What must be so after the storm, besides what every flow is looked at for."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import orjson
import psycopg

from projections.generation import reading
from projections.timeline.projection import TIMELINE
from services.record.reader import Row
from services.settings import Settings
from services.spool import shelf
from tests.chaos.weather import Weather
from tests.flows.doors.calls import facts_of
from tests.flows.doors.opened import TENANT, Message
from tests.flows.whole import RECEIVED, count, on_record, said_in, sent_by_address

_PENDING = "SELECT count(*) FROM service.pending"
_PARKED = "SELECT count(*) FROM service.parked"


def settle(weather: Weather, accepted: int) -> None:
    """Wait until all that was accepted has been read: the spool is empty, and so is what parsers have to do."""
    settings = weather.up.settings

    def left() -> tuple[int, int, int]:
        there, pending = on_record(settings), count(settings, _PENDING)
        return shelf.waiting(settings.spool), pending, max(0, accepted - there)

    weather.until(lambda: not any(left()), "spool, pending mails and lost ones come to nothing", left)


def check_nothing_aside(settings: Settings) -> None:
    """Nothing was parked, and nothing in the spool could not be read."""
    parked, unread = count(settings, _PARKED), shelf.aside(settings.spool)
    assert parked == 0, f"{parked} requests are parked"
    assert unread == 0, f"{unread} pieces of the spool could not be read"


def check_calls(rows: Sequence[Row], sent: Sequence[Message]) -> None:
    """Every report on every leg is there once."""
    texts: dict[str, str] = {}
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row.type == RECEIVED or row.type.startswith("call."):
            interaction_id = orjson.loads(row.payload)["interaction_id"]
            found.setdefault(interaction_id, Counter())[row.type] += 1
            if row.type == RECEIVED:
                texts[interaction_id] = said_in(row)[1]
    told = {texts[interaction_id]: types for interaction_id, types in found.items()}
    for call in (one for one in sent if one.door == "call"):
        assert told[call.text] == facts_of(call), f"of the call {call.text} there are {dict(told[call.text])}"


def check_timeline(settings: Settings, rows: Sequence[Row], sent: Sequence[Message]) -> None:
    """Each customer's interactions stand there in the order in which they were sent, mails too."""
    texts = {UUID(orjson.loads(row.payload)["interaction_id"]): said_in(row) for row in rows if row.type == RECEIVED}
    shown: dict[str, list[str]] = {}
    for interaction_id in asyncio.run(_shown(settings)):
        address, text = texts[interaction_id]
        shown.setdefault(address, []).append(text)
    for address, texts_sent in sent_by_address(sent).items():
        assert shown[address] == texts_sent, f"the order of {address} on the timeline is {shown[address]}"
    strangers = shown.keys() - {one.address for one in sent}
    assert not strangers, f"the timeline has {strangers}, who never wrote"


async def _shown(settings: Settings) -> list[UUID]:
    async with (
        await psycopg.AsyncConnection.connect(settings.views_url) as held,
        reading(held, TIMELINE, TENANT) as tx,
    ):
        cursor = await tx.execute(
            "SELECT interaction_id FROM interactions WHERE NOT withdrawn ORDER BY effective_at, position"
        )
        return [interaction_id for (interaction_id,) in await cursor.fetchall()]
