from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from schemas.conversation import ConversationAnswered
from schemas.reference import reference
from services.record.decisions import Decided, Decisions
from tests.services.api.house import ALI, NOON, House, message
from tests.services.conversations.deciding import caught_up, deciding

SARA = "tel:+989350000000"
MEMBERS = {
    "conversation_id", "reference", "state", "turn", "since_at", "waits_for", "taken_by", "channel", "inbox_id",
    "failed_message_id",
    "address", "address_id", "interactions", "opened_at", "last", "position",
}  # fmt: skip


async def _told(house: House) -> None:
    async with deciding(house.settings):
        await house.say("یک", "دو")
        await house.hear([message("shop", "SM9", "hello", SARA, NOON + timedelta(hours=1))])
        await house.hear([message("rival", "SM1", "not yours", ALI)], "rival")
        await caught_up(house.settings)
    await house.caught_up()


async def test_what_waits_longest_comes_first_with_every_member(house: House) -> None:
    await _told(house)
    answer = await house.get("/api/v1/conversations", "agent", state="waiting")
    page = answer.json()
    assert (answer.status_code, page["next"], len(page["items"])) == (200, None, 2)
    first, second = page["items"]
    assert set(first) == MEMBERS
    assert (first["address"], first["state"], first["turn"], first["waits_for"]) == (ALI, "waiting", "ours", "message")
    assert (first["interactions"], first["last"]["text"], first["channel"]) == (2, "دو", "sms/twilio")
    assert (second["address"], second["last"]["text"]) == (SARA, "hello")
    assert first["inbox_id"] == str(house.inboxes["shop"])
    assert (await house.get("/api/v1/conversations", state="answered")).json()["items"] == []


async def test_one_conversation_and_its_timeline_say_the_same(house: House) -> None:
    await _told(house)
    waiting = (await house.get("/api/v1/conversations")).json()["items"][0]
    of = waiting["conversation_id"]
    whole = (await house.get(f"/api/v1/conversations/{of}")).json()
    assert [item["text"] for item in whole["items"]] == ["دو", "یک"]
    assert {name: whole[name] for name in MEMBERS} == waiting
    assert waiting["reference"] == reference(UUID(whole["items"][-1]["event_id"]))
    items = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    assert [item["conversation_id"] for item in items] == [of, of]
    newest = (await house.get(f"/api/v1/conversations/{of}", limit=1)).json()
    assert [item["text"] for item in newest["items"]] == ["دو"]
    assert [item["text"] for item in (await house.get(newest["next"])).json()["items"]] == ["یک"]


async def test_an_answer_passes_the_turn_and_what_was_saved_is_read_by_its_position(house: House) -> None:
    await _told(house)
    of = UUID((await house.get("/api/v1/conversations")).json()["items"][0]["conversation_id"])
    decisions = Decisions(house.settings.record_url)
    fact = ConversationAnswered(conversation_id=of, message_id=uuid4(), since_at=datetime.now(UTC))
    position = decisions.save([Decided(of, 3, "shop", fact)])
    decisions.close()
    answered = (await house.get("/api/v1/conversations", state="answered", min_position=position)).json()
    assert [(item["conversation_id"], item["turn"]) for item in answered["items"]] == [(str(of), "customer")]


async def test_pages_follow_each_other(house: House) -> None:
    await _told(house)
    first = (await house.get("/api/v1/conversations", limit=1)).json()
    second = (await house.get(first["next"])).json()
    assert [page["items"][0]["address"] for page in (first, second)] == [ALI, SARA]
    assert second["next"] is None


async def test_another_tenants_is_not_found(house: House) -> None:
    await _told(house)
    theirs = (await house.get("/api/v1/conversations", tenant="rival")).json()["items"][0]["conversation_id"]
    assert (await house.get(f"/api/v1/conversations/{theirs}")).status_code == 404
    assert (await house.get(f"/api/v1/conversations/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("agent", 200), ("supervisor", 200), ("integrator", 403)])
async def test_who_may_read_them(house: House, role: str, status: int) -> None:
    assert (await house.get("/api/v1/conversations", role)).status_code == status


@pytest.mark.parametrize("asked", [{"state": "asleep"}, {"cursor": "nonsense"}, {"colour": "red"}])
async def test_a_question_that_is_none_is_refused(house: House, asked: dict[str, str]) -> None:
    assert (await house.get("/api/v1/conversations", **asked)).status_code == 400
