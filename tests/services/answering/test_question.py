"""Which interaction is answered, and how its fact is found in the record."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from channels.contract import Heard, Origin
from schemas.call import CallEnded, CallMissed, CallProgressed, Party
from schemas.interaction import Content, InteractionReceived
from schemas.outbound import MessageAsked
from services.answering.asking import Draft
from services.answering.gathering import Sources, gathered
from services.answering.loaded import conversation
from services.answering.question import heard
from services.record import facts_below
from services.record.facts_below import FactsBelow
from services.record.reader import Reader
from tests.services.answering.shop import Shop, sms
from tests.services.api.house import ALI, NATURAL_NAME
from tests.services.conversations.deciding import rows

DESK = "tel:+982188880000"
_ORIGIN = Origin("shop", NATURAL_NAME)


def _facts(shop: Shop) -> FactsBelow:
    return FactsBelow(shop.record, Reader(shop.record, shop.ring))


async def _answers(shop: Shop, of: UUID) -> UUID | None:
    asked = await shop.ask(of)
    said = next(
        fact
        for fact in shop.facts("outbound")
        if isinstance(fact, MessageAsked) and fact.message_id == asked.message_id
    )
    return said.answers


async def test_the_last_question_is_answered_and_no_machine(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    await shop.hear(sms("S2", "and this?"))
    machine = InteractionReceived(
        interaction_id=_ORIGIN.derive("S3", "interaction"),
        kind="message",
        channel="sms/twilio",
        automatic="auto_reply",
        personal=Content(address=ALI, text="I am away"),
    )
    await shop.hear(Heard("S3", ALI, machine))
    assert await _answers(shop, of) == _ORIGIN.derive("S2", "interaction")


async def test_a_fact_far_below_its_decision_is_found_by_its_request(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await shop.asked_by(sms("S1"))
    for number in range(30):
        await shop.house.hear([sms(f"M{number}", address=f"tel:+98912000{number:04}")])
    loaded = await conversation(Reader(shop.record, shop.ring), "shop", of)
    (came_in,) = loaded.came_in
    (head,) = rows(shop.settings, "SELECT max(position) FROM record.facts")[0]
    monkeypatch.setattr(facts_below, "_NEAR", 2)
    monkeypatch.setattr(facts_below, "_WINDOW", 4)
    found = await _facts(shop).by_id("shop", came_in.event_id, head + 1)
    assert found is not None
    assert (found.event_id, found.position < head - 20) == (came_in.event_id, True)
    caller = await _facts(shop).by_caller("shop", found.subject, head + 1, datetime.now(UTC))
    assert caller == found
    assert await _facts(shop).by_id("rival", came_in.event_id, head + 1) is None
    assert await _facts(shop).by_id("shop", uuid4(), head + 1) is None
    assert await _facts(shop).by_caller("shop", uuid4(), head + 1, datetime.now(UTC)) is None


@pytest.mark.parametrize("floor", [0, 1, 17])
@pytest.mark.parametrize("below", [2, 18, 400_000])
def test_windows_leave_nothing_out(floor: int, below: int) -> None:
    windows = list(facts_below._windows(floor, below))
    numbers = [after + 1 for after, _ in windows] + [before - 1 for _, before in windows]
    if below <= floor + 1:
        assert windows == []
        return
    assert (max(numbers), min(numbers)) == (below - 1, floor + 1)
    assert all(upper[0] + 1 == lower[1] for upper, lower in pairwise(windows))


async def test_a_missed_call_is_answered_at_its_callers_number(shop: Shop) -> None:
    """Also where the leg that we connected, to another number, tells that it was missed."""
    interaction_id = _ORIGIN.derive("CA1", "interaction")
    begun = InteractionReceived(
        interaction_id=interaction_id, kind="call", channel="voice/twilio", personal=Content(address=ALI)
    )
    of_leg: dict[str, Any] = {
        "interaction_id": interaction_id,
        "leg_id": uuid4(),
        "first_leg": False,
        "channel": "voice/twilio",
        "direction": "in",
        "personal": Party(address=DESK),
    }
    await shop.hear(Heard("CA1", ALI, begun))
    await shop.hear(Heard("CA2/ringing", DESK, CallProgressed(**of_leg, state="ringing", reported="ringing")))
    await shop.hear(Heard("CA2/over", DESK, CallEnded(**of_leg, outcome="no_answer", reported="no-answer")))
    of = await shop.conversation()
    found = await heard(_facts(shop), await conversation(Reader(shop.record, shop.ring), "shop", of))
    assert found is not None
    assert (found.question.kind, found.question.address, found.question.channel) == ("call", ALI, "voice/twilio")
    asked = await shop.ask(of, "You called us.")
    assert (asked.resolution.channel, asked.resolution.address) == ("sms/twilio", ALI)
    assert asked.resolution.code == "call_by_message"
    assert {one.code for one in asked.resolution.rejected} == {"no_address"}


async def test_a_call_that_one_report_tells_of(shop: Shop) -> None:
    missed = CallMissed(
        interaction_id=_ORIGIN.derive("CA9", "interaction"),
        channel="voice/twilio",
        outcome="no_answer",
        reported="no-answer",
        personal=Party(address=ALI),
    )
    of = await shop.asked_by(Heard("CA9", ALI, missed, datetime.now(UTC) - timedelta(minutes=1)))
    assert await _answers(shop, of) == missed.interaction_id


async def test_where_else_they_spoke_is_known_by_their_conversation_there(shop: Shop) -> None:
    other = await asyncio.to_thread(shop.add_number, "+98 21 9200 0000")
    await shop.hear_on(other, sms("S1"))
    before = datetime.now(UTC)
    of = await shop.asked_by(sms("S2"))
    reader = Reader(shop.record, shop.ring)
    found = await heard(_facts(shop), await conversation(reader, "shop", of))
    assert found is not None
    known = await gathered(Sources(shop.record, reader, shop.ring), "shop", found, Draft("x"))
    assert set(known.heard_at) == {(other, ALI)}
    assert before - timedelta(minutes=1) < known.heard_at[other, ALI] < before
    asked = await shop.ask(of)
    assert asked.resolution.inbox_id == shop.house.inboxes["shop"]
    assert [one.code for one in asked.resolution.rejected if one.channel == "sms/twilio"] == ["less_preferred"]
    await asyncio.to_thread(shop.close_inbox, shop.house.inboxes["shop"])
    again = await shop.ask(of)
    assert again.resolution.inbox_id == other
    assert [one.code for one in again.resolution.rejected if one.channel == "sms/twilio"] == ["inbox_closed"]
