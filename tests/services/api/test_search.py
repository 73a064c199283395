import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from services.projector import app as projector
from services.settings import Settings
from tests.services.api.house import ALI, NOON, House, message, opened

SARA = "tel:+989350000000"
MEMBERS = {
    "interaction_id", "reference", "conversation_id", "address_id", "address", "kind", "direction", "channel",
    "subject", "snippet", "occurred_at", "position",
}  # fmt: skip


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    """With the search, which is a role of its own."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with opened(settings) as running:
        searching = asyncio.create_task(projector.run_search(settings, stop, ready.set))
        yield running
        stop.set()
        await searching


async def _search(house: House, q: str, **asked: Any) -> dict[str, Any]:
    with psycopg.connect(house.settings.record_url) as connection:
        row = connection.execute("SELECT record.head()").fetchone()
    assert row is not None
    answer = await house.get("/api/v1/search", "agent", q=q, min_position=row[0], **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _told(house: House) -> None:
    await house.say("سفارش‌ من کجاست؟", "باز هم سفارش ۱۲۳")
    await house.hear([message("shop", "SM9", "Where is my order?", SARA, NOON + timedelta(hours=1))])
    await house.hear([message("rival", "SM1", "سفارش", ALI)], "rival")
    await house.caught_up()


async def test_words_numbers_and_references_are_found(house: House) -> None:
    await _told(house)
    page = await _search(house, "سفارش")
    assert [item["snippet"] for item in page["items"]] == ["باز هم سفارش ۱۲۳", "سفارش‌ من کجاست؟"]
    newest = page["items"][0]
    assert set(newest) == MEMBERS
    assert (newest["address"], newest["channel"], newest["direction"]) == (ALI, "sms/twilio", "in")
    for q in ("123", "باز سفا", "سفارش ١٢٣", newest["reference"], newest["reference"].lower().replace("-", "")):
        assert [item["interaction_id"] for item in (await _search(house, q))["items"]] == [newest["interaction_id"]], q
    for q in ("0935 000 0000", "+98 935 0000000", "35000", SARA):
        assert [item["snippet"] for item in (await _search(house, q))["items"]] == ["Where is my order?"], q
    assert (await _search(house, "nothing of this kind"))["items"] == []


async def test_pages_follow_each_other_and_of_others_there_is_nothing(house: House) -> None:
    await _told(house)
    first = await _search(house, "سفارش", limit=1)
    second = (await house.get(first["next"])).json()
    assert [len(page["items"]) for page in (first, second)] == [1, 1]
    assert first["items"] != second["items"]
    assert second["next"] is None
    theirs = (await house.get("/api/v1/search", tenant="rival", q=first["items"][0]["reference"])).json()
    assert theirs["items"] == []


@pytest.mark.parametrize(("role", "status"), [("agent", 200), ("supervisor", 200), ("subscriber", 403)])
async def test_who_may_search(house: House, role: str, status: int) -> None:
    await _told(house)
    await _search(house, "order")
    assert (await house.get("/api/v1/search", role, q="order")).status_code == status


async def test_before_there_is_a_search_it_says_so(settings: Settings) -> None:
    async with opened(settings) as house:
        answer = await house.get("/api/v1/search", q="order")
        assert (answer.status_code, answer.json()["code"]) == (503, "being_filled")
        assert "still being filled" in answer.json()["detail"]
        assert (await house.get("/api/v1/search", q="")).status_code == 400
