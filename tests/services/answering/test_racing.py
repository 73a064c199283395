"""Several at once: agents, repeats, customers who write meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from schemas.conversation import ConversationJoined
from schemas.outbound import MessageAsked, MessageStarted
from services.answering.answering import Answering, Asked
from services.answering.asking import Draft, NoWay
from services.blobs import BlobStore
from services.conversations.commands import Close, Take
from services.record.decisions import Decided, Decisions
from services.record.errors import Conflict, Refused
from services.record.reader import Reader
from tests.services.answering.shop import Shop, consents, sms
from tests.services.api.house import ALI
from tests.services.conversations.deciding import rows


class Interrupted(Decisions):
    """Somebody else acts between what was loaded and the first save; or the answer to the first save is lost."""

    def __init__(self, url: str, *, before: Any = None, loses: bool = False) -> None:
        super().__init__(url)
        self.before = before
        self.loses = loses
        self.saves = 0

    def save(self, decided: Sequence[Decided], **more: Any) -> int | None:
        self.saves += 1
        if self.saves == 1 and self.before is not None:
            self.before()
        position = super().save(decided, **more)
        if self.saves == 1 and self.loses:
            raise psycopg.OperationalError("the connection is lost")
        return position


def _with(shop: Shop, decisions: Decisions) -> Answering:
    reader = Reader(shop.record, shop.ring)
    return Answering(shop.record, reader, shop.ring, decisions, BlobStore(shop.settings.blob_url))


async def test_of_agents_who_answer_at_once_one_is_told_that_it_was_answered(shop: Shop) -> None:
    for number in range(5):
        of = await shop.asked_by(sms(f"S{number}", address=f"tel:+98912000000{number}"))
        done = await asyncio.gather(
            *(shop.ask(of, f"answer {n}", agent_id=uuid4(), seen="waiting") for n in range(4)), return_exceptions=True
        )
        assert len([one for one in done if isinstance(one, Asked)]) == 1
        told = {str(one) for one in done if isinstance(one, Exception)}
        assert told == {"It was answered while you wrote. Read that answer; send yours again if it is still needed."}
    assert shop.types("cases") == ["opened", "answered"] * 5
    assert shop.types("outbound") == ["asked", "resolved"] * 5


async def test_a_repeat_at_the_same_moment_gets_the_same_and_one_is_sent(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    command = uuid4()
    done = await asyncio.gather(*(shop.ask(of, "once", command_id=command) for _ in range(6)))
    assert len({one.message_id for one in done}) == 1
    assert len({one.position for one in done}) == 1
    assert len({str(one.resolution) for one in done}) == 1
    assert shop.types("outbound") == ["asked", "resolved"]
    again = await shop.ask(of, "once", command_id=command, seen="waiting")
    assert again == done[0]


async def test_a_save_whose_answer_was_lost_is_found_by_its_command(shop: Shop) -> None:
    of, command = await shop.asked_by(sms("S1")), uuid4()
    decisions = Interrupted(shop.settings.record_url, loses=True)
    asking: dict[str, Any] = {"command_id": command, "now": datetime.now(UTC), "seen": "waiting"}
    with pytest.raises(psycopg.OperationalError):
        await _with(shop, decisions).ask("shop", of, Draft("once"), **asking)
    again = await shop.answering.ask("shop", of, Draft("once"), **asking)
    assert shop.types("outbound") == ["asked", "resolved"]
    assert rows(shop.settings, "SELECT max(position) FROM record.decisions") == [(again.position,)]
    await asyncio.to_thread(decisions.close)


async def test_what_a_customer_writes_meanwhile_is_what_is_answered(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    loop = asyncio.get_running_loop()

    def writes() -> None:
        asyncio.run_coroutine_threadsafe(shop.hear(sms("S2", "and one more")), loop).result(20)

    decisions = Interrupted(shop.settings.record_url, before=writes)
    asked = await _with(shop, decisions).ask("shop", of, Draft("x"), command_id=uuid4(), now=datetime.now(UTC))
    assert (decisions.saves, shop.types("cases")) == (2, ["opened", "joined", "answered"])
    joined = next(fact for fact in shop.facts("cases") if isinstance(fact, ConversationJoined))
    said = next(fact for fact in shop.facts("outbound") if isinstance(fact, MessageAsked))
    assert (said.answers, said.message_id) == (joined.interaction_id, asked.message_id)
    await asyncio.to_thread(decisions.close)


async def test_stop_that_comes_while_we_write_holds_the_answer_back(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    loop = asyncio.get_running_loop()

    def stops() -> None:
        both = shop.hear(sms("S2", "STOP"), consents("S2", ALI, granted=False, channel="sms/twilio"))
        asyncio.run_coroutine_threadsafe(both, loop).result(20)

    decisions = Interrupted(shop.settings.record_url, before=stops)
    with pytest.raises(NoWay):
        await _with(shop, decisions).ask("shop", of, Draft("x"), command_id=uuid4(), now=datetime.now(UTC))
    assert shop.facts("outbound") == []
    await asyncio.to_thread(decisions.close)


async def test_who_answered_while_another_wrote_is_noticed_without_being_told_what_was_seen(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    loop = asyncio.get_running_loop()

    def answers() -> None:
        asyncio.run_coroutine_threadsafe(shop.ask(of, "first"), loop).result(20)

    decisions = Interrupted(shop.settings.record_url, before=answers)
    with pytest.raises(Refused, match="answered while you wrote"):
        await _with(shop, decisions).ask("shop", of, Draft("x"), command_id=uuid4(), now=datetime.now(UTC))
    assert shop.types("outbound") == ["asked", "resolved"]
    await asyncio.to_thread(decisions.close)


async def test_customers_who_write_all_the_time_lose_nothing_and_their_turns_are_kept(shop: Shop) -> None:
    of = await shop.asked_by(sms("S0"))
    stop = asyncio.Event()

    async def writes() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await shop.house.hear([sms(f"M{number}")])
            await asyncio.sleep(0.25)
        return number

    writing = asyncio.create_task(writes())
    done = await asyncio.gather(*(_until_saved(shop, of, number) for number in range(6)))
    stop.set()
    written = await writing
    await shop.hear(sms("last"))
    joined = [fact for fact in shop.facts("cases") if isinstance(fact, ConversationJoined)]
    assert len({fact.interaction_id for fact in joined}) == len(joined) == written + 1
    assert joined[-1].state == "waiting"
    assert len({one.message_id for one in done}) == 6
    assert shop.types("cases").count("answered") == 6


async def _until_saved(shop: Shop, of: UUID, number: int) -> Asked:
    while True:
        try:
            return await shop.ask(of, f"answer {number}", seen="answered")
        except Conflict:
            await asyncio.sleep(0.01)


async def test_of_withdrawal_and_dispatch_one_is_first(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of)
    started = MessageStarted(
        message_id=asked.message_id, attempt=1, channel="sms/twilio", inbox_id=asked.resolution.inbox_id
    )

    def dispatches() -> None:
        shop.decisions.save([Decided(asked.message_id, 3, "shop", started)])

    decisions = Interrupted(shop.settings.record_url, before=dispatches)
    with pytest.raises(Refused, match="too late"):
        await _with(shop, decisions).withdraw("shop", asked.message_id, command_id=uuid4(), agent_id=None)
    assert shop.types("outbound") == ["asked", "resolved", "started"]
    assert shop.types("cases") == ["opened", "answered"]
    await asyncio.to_thread(decisions.close)


async def test_two_who_take_it_at_once(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    done = await asyncio.gather(
        *(shop.answering.command("shop", of, Take(uuid4()), command_id=uuid4()) for _ in range(3)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["Refused", "Refused", "int"]


async def test_a_command_is_carried_out_once(shop: Shop) -> None:
    of, command = await shop.asked_by(sms("S1")), uuid4()
    close = Close(None, datetime.now(UTC))
    first = await shop.answering.command("shop", of, close, command_id=command)
    await shop.hear(sms("S2"))
    assert shop.types("cases") == ["opened", "closed", "reopened", "joined"]
    assert await shop.answering.command("shop", of, close, command_id=command) == first
    assert shop.types("cases")[-1] == "joined"
