"""What people do about a message: take it back, settle a doubt."""

from uuid import UUID, uuid4

import pytest

from schemas.conversation import ConversationReopened
from schemas.event import AnyFact
from schemas.outbound import MessageAsked, MessageInDoubt, MessageStarted
from services.answering.answering import Asked, Draft
from services.record.decisions import Decided
from services.record.errors import Refused
from tests.services.answering.shop import Shop, sms


def _tell(shop: Shop, message_id: UUID, *facts: AnyFact) -> None:
    """As dispatch does."""
    version = len(shop.decisions.load([message_id])[message_id])
    shop.decisions.save([Decided(message_id, version + place, "shop", fact) for place, fact in enumerate(facts, 1)])


async def _withdraw(shop: Shop, asked: Asked, command_id: UUID | None = None) -> int:
    return await shop.answering.withdraw(
        "shop", asked.message_id, command_id=command_id or uuid4(), agent_id=UUID(int=5)
    )


async def test_taken_back_its_customer_waits_again(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of, Draft("Soon!", undo_seconds=10))
    said = next(fact for fact in shop.facts("outbound") if isinstance(fact, MessageAsked))
    assert said.undo_until is not None
    command = uuid4()
    position = await _withdraw(shop, asked, command)
    assert await _withdraw(shop, asked, command) == position
    await _withdraw(shop, asked)
    assert shop.types("outbound") == ["asked", "resolved", "withdrawn"]
    assert shop.types("cases") == ["opened", "answered", "reopened"]
    again = shop.facts("cases")[-1]
    assert isinstance(again, ConversationReopened)
    assert (again.message_id, again.reopened_by, again.state) == (None, UUID(int=5), "waiting")
    message = await shop.answering.message("shop", asked.message_id)
    assert message is not None
    assert message.state == "withdrawn"


async def test_where_another_answer_came_after_it_nobody_waits(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    first = await shop.ask(of, "first")
    await shop.ask(of, "second")
    await _withdraw(shop, first)
    assert shop.types("cases") == ["opened", "answered", "answered"]


async def test_a_doubt_is_settled_by_whoever_knows(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of)
    with pytest.raises(Refused, match="no doubt"):
        await shop.answering.judge("shop", asked.message_id, "arrived", command_id=uuid4(), agent_id=None)
    way = asked.resolution
    _tell(
        shop,
        asked.message_id,
        MessageStarted(message_id=asked.message_id, attempt=1, channel=way.channel, inbox_id=way.inbox_id),
        MessageInDoubt(message_id=asked.message_id, attempt=1, why="No answer came."),
    )
    with pytest.raises(Refused, match="too late"):
        await _withdraw(shop, asked)
    command = uuid4()
    position = await shop.answering.judge("shop", asked.message_id, "not_sent", command_id=command, agent_id=None)
    again = await shop.answering.judge("shop", asked.message_id, "not_sent", command_id=command, agent_id=None)
    assert again == position
    assert shop.types("outbound") == ["asked", "resolved", "started", "in_doubt", "judged"]
    message = await shop.answering.message("shop", asked.message_id)
    assert message is not None
    assert (message.state, message.attempts[0].why) == ("queued", "No answer came.")
