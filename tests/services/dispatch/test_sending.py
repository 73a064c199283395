"""Dispatch against a real PostgreSQL and a provider on a real socket."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from channels.contract import Origin
from schemas.conversation import ConversationReopened
from schemas.outbound import MessageHandedOff, MessageResolved
from services.settings import Settings
from tests.services.conversations.deciding import rows, until
from tests.services.dispatch.asking import LETTER, asking, dispatching, states
from tests.services.dispatch.provider import providing


async def test_a_message_goes_out_and_its_receipts_find_it(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        of = await house.open()
        message_id = await house.ask("سلام", of)
        await house.until_told(message_id, "started", "handed_off")
        post = provider.posts[0]
        assert (post["text"], post["to"], post["attempt"]) == ("سلام", "tel:+989121234567", 1)
        assert len(post["reference"]) == 9
        assert "/hooks/sms/twilio/" in post["status_url"]
        assert post["status_url"].endswith("/status")
        handed_off = house.facts(message_id)[3]
        assert isinstance(handed_off, MessageHandedOff)
        assert handed_off.receipts_as == Origin("shop", "twilio:+982112345678").derive(
            handed_off.provider_id, "interaction"
        )
        await house.report(handed_off.receipts_as, "delivered")
        await house.report(handed_off.receipts_as, "sent")
        await house.report(handed_off.receipts_as, "read")
        await house.until_told(message_id, "started", "handed_off", "reported", "reported")
    assert states(settings) == {}


async def test_a_conversation_keeps_its_order_and_waits_for_nobody_else(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        provider.seconds = 0.05
        first, second = await house.open(), await house.open()
        wanted = [(f"{name}{number}", of) for number in range(4) for name, of in (("a", first), ("b", second))]
        ids = await house.ask_all(wanted)
        async with dispatching(settings, provider):
            await until(lambda: len(provider.posts) == 8)
            for message_id in ids:
                await house.until_told(message_id, "started", "handed_off")
    assert [text for text in provider.texts() if text[0] == "a"] == ["a0", "a1", "a2", "a3"]
    assert [text for text in provider.texts() if text[0] == "b"] == ["b0", "b1", "b2", "b3"]
    assert sorted(provider.texts()[:2]) == ["a0", "b0"]


async def test_it_can_be_taken_back_in_time(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        of = await house.open()
        withdrawn = await house.ask("no", of, undo_seconds=30)
        after = await house.ask("yes", of)
        await until(lambda: states(settings) == {withdrawn: "due", after: "due"})
        house.withdraw(withdrawn)
        await house.until_told(after, "started", "handed_off")
        assert provider.texts() == ["yes"]
        assert house.told(withdrawn) == ["asked", "resolved", "withdrawn"]


async def test_what_is_held_goes_when_the_night_is_over(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        until_at = datetime.now(UTC) + timedelta(seconds=0.6)
        message_id = await house.ask("later", await house.open(), hold_until=until_at)
        await house.write()
        await asyncio.sleep(0.2)
        assert provider.posts == []
        await house.until_told(message_id, "started", "handed_off")
        assert datetime.now(UTC) >= until_at


async def test_a_provider_that_wants_less_is_asked_again(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [429]
        message_id = await house.ask("again", await house.open())
        await house.until_told(message_id, "started", "refused")
        rows(settings, "UPDATE service.messages SET due_at = now() RETURNING 1")
        await house.until_told(message_id, "started", "refused", "started", "handed_off")
    assert [post["attempt"] for post in provider.posts] == [1, 2]


async def test_refused_for_good_the_customer_waits_again(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [400]
        of = await house.open()
        message_id = await house.ask("nobody", of)
        await house.until_told(message_id, "started", "refused", "failed")
        reopened = house.decisions.load([of])[of][-1].fact
        assert isinstance(reopened, ConversationReopened)
        assert (reopened.state, reopened.message_id) == ("waiting", message_id)
        saves = "SELECT count(DISTINCT xmin::text) FROM record.decisions WHERE type IN (%s)"
        assert rows(settings, saves.replace("%s", "'message.failed', 'conversation.reopened'")) == [(1,)]


async def test_an_answer_that_is_lost_is_a_doubt_that_a_receipt_settles(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [None]
        message_id = await house.ask("perhaps", await house.open())
        await house.until_told(message_id, "started", "in_doubt")
        name = uuid4()
        await house.report(name, "sent")
        await house.report(name, "delivered")
        await house.until_told(message_id, "started", "in_doubt", "handed_off", "reported", "reported")
    assert provider.texts() == ["perhaps"]
    assert states(settings) == {message_id: "delivered"}


async def test_a_receipt_that_is_faster_than_the_answer_waits_for_it(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.seconds = 0.4
        message_id = await house.ask("quick", await house.open())
        await until(lambda: len(provider.posts) == 1)
        origin = Origin("shop", "twilio:+982112345678")
        await house.report(origin.derive(f"P1-{message_id}", "interaction"), "delivered")
        await house.until_told(message_id, "started", "handed_off", "reported")
    assert states(settings) == {message_id: "delivered"}
    assert rows(settings, "SELECT count(*) FROM service.early_receipts") == [(0,)]


async def test_no_delivery_in_time_is_one_more_way(settings: Settings) -> None:
    async with (
        asking(settings, fallback_minutes="0.01") as house,
        providing() as provider,
        dispatching(settings, provider),
    ):
        message_id = await house.ask("urgent", await house.open(), then=("email/smtp", LETTER))
        await house.until_told(message_id, "started", "handed_off", "resolved", "started", "handed_off")
        second = house.facts(message_id)[4]
        assert isinstance(second, MessageResolved)
        assert (second.round, second.channel, second.code) == (2, "email/smtp", "no_delivery")
        assert [post["to"] for post in provider.posts] == ["tel:+989121234567", LETTER]
        await asyncio.sleep(1.0)
        assert len(provider.posts) == 2


async def test_an_automatic_message_has_no_other_way(settings: Settings) -> None:
    async with (
        asking(settings, fallback_minutes="0.001") as house,
        providing() as provider,
        dispatching(settings, provider),
    ):
        message_id = await house.ask("we have it", await house.open(), then=("email/smtp", LETTER), automatic=True)
        await house.until_told(message_id, "started", "handed_off")
        assert rows(settings, "SELECT fallback_at FROM service.messages") == [(None,)]
    assert len(provider.posts) == 1


async def test_who_writes_again_needs_no_other_way(settings: Settings) -> None:
    async with (
        asking(settings, fallback_minutes="0.015") as house,
        providing() as provider,
        dispatching(settings, provider),
    ):
        of = await house.open()
        one = await house.ask("answered", await house.open(), then=("email/smtp", LETTER))
        other = await house.ask("joined", of, then=("email/smtp", LETTER), address="tel:+989350000000")
        for message_id in (one, other):
            await house.until_told(message_id, "started", "handed_off")
        await house.write()
        house.join(of)
        await asyncio.sleep(1.5)
        assert len(provider.posts) == 2


async def test_what_was_erased_is_not_sent(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        of = await house.open()
        message_id = await house.ask("secret", of)
        await house.writer.ring.forget("shop", "tel:+989121234567")
        async with dispatching(settings, provider):
            await house.until_told(message_id, "failed")
        assert provider.posts == []
