"""Who is not acknowledged: machines, history, who forbade it, who is gone, and everybody where it is off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from channels.contract import Heard
from schemas.call import CallMissed
from schemas.interaction import Automatic, Content, InteractionReceived
from schemas.outbound import MessageResolved
from services.conversations.commands import Close
from services.database import pool
from services.record.erase import erase
from tests.services.acknowledging.watch import acknowledging, asked, later, mail, said, switch
from tests.services.answering.shop import SARA, Shop, consents, form, prefers, sms
from tests.services.api.house import ALI


async def test_it_is_off_until_it_is_switched_on_and_when_it_is_switched_off(shop: Shop) -> None:
    async with acknowledging(shop.settings) as watch:
        await shop.hear(sms("S1"))
        switch(shop)
        await shop.hear(sms("S2"))
        await shop.hear(sms("S3", address="tel:+989120000003"))
        switch(shop, value="off")
        await shop.hear(sms("S4", address="tel:+989120000004"))
        await watch.seen()
    assert [one.personal.address for one in await asked(shop) if one.personal] == ["tel:+989120000003"]
    assert (watch.told.outcomes["asked"], watch.passed()) == (1, {})


@pytest.mark.parametrize("automatic", ["auto_reply", "bounce", "bulk"])
async def test_a_machine_is_told_nothing(shop: Shop, automatic: Automatic) -> None:
    switch(shop, shop.mail_inbox)
    async with acknowledging(shop.settings) as watch:
        await shop.hear_on(shop.mail_inbox, mail("M1", automatic=automatic))
        await shop.hear_on(shop.mail_inbox, mail("M2", automatic=automatic, references=("M1@example.com",)))
        await watch.seen()
    assert await said(shop) == []
    assert watch.passed() == ({"machine": 1} if automatic == "bulk" else {}), "the others begin no conversation"


async def test_a_person_who_goes_on_with_what_a_machine_began_is_told_nothing(shop: Shop) -> None:
    switch(shop, shop.mail_inbox)
    async with acknowledging(shop.settings) as watch:
        await shop.hear_on(shop.mail_inbox, mail("M1", automatic="bulk"), mail("M2"))
        await watch.seen()
    assert (await said(shop), shop.types("cases")) == ([], ["opened", "joined"])


async def test_a_call_is_told_nothing(shop: Shop) -> None:
    switch(shop)
    call = uuid4()
    begun = InteractionReceived(interaction_id=call, kind="call", channel="voice/twilio", personal=Content(address=ALI))
    missed = CallMissed(
        interaction_id=call, channel="voice/twilio", outcome="no_answer", reported="no-answer", personal=None
    )
    async with acknowledging(shop.settings) as watch:
        await shop.hear(Heard("C1", ALI, begun), Heard("C1-missed", ALI, missed))
        await watch.seen()
    assert (await said(shop), shop.types("cases"), watch.passed()) == ([], ["opened"], {})


async def test_history_is_told_nothing(shop: Shop) -> None:
    switch(shop)
    await shop.hear(sms("S1"))
    async with acknowledging(shop.settings) as watch:
        await shop.hear(sms("S2", address="tel:+989120000002", ago=timedelta(hours=2)))
        await watch.seen()
        assert watch.passed() == {"old": 1}, "what is older than its first start it never sees"
    await shop.hear(sms("S3", address="tel:+989120000003"))
    async with acknowledging(shop.settings, clock=later(minutes=11)) as watch:
        await watch.seen()
        assert watch.passed() == {"old": 1}
    assert await said(shop) == []


async def test_who_forbade_it_is_told_nothing(shop: Shop) -> None:
    switch(shop)
    async with acknowledging(shop.settings) as watch:
        asked_to_stop = sms("S1", "STOP", ago=timedelta(0))
        said_so = consents("S1", ALI, granted=False, channel="sms/twilio")
        await shop.hear(asked_to_stop, replace(said_so, occurred_at=asked_to_stop.occurred_at))
        await watch.seen()
    assert (await said(shop), watch.passed()) == ([], {"no_way": 1})


@pytest.mark.parametrize("is_open", [True, False])
async def test_it_goes_back_where_they_asked_and_nowhere_else(shop: Shop, *, is_open: bool) -> None:
    switch(shop)
    if not is_open:
        shop.close_inbox(shop.house.inboxes["shop"])
    async with acknowledging(shop.settings) as watch:
        await shop.hear(consents("C1", SARA))
        by_mail = [form("F1", ALI, mailbox="sara@example.com"), prefers("F1", ALI, ["email"])]
        of = await shop.asked_by(*by_mail)
        await watch.seen()
    assert watch.passed() == ({} if is_open else {"no_way": 1})
    ways = [fact for fact in shop.facts("outbound") if isinstance(fact, MessageResolved)]
    assert [(way.channel, way.code, way.rejected) for way in ways] == [("sms/twilio", "form_address", ())] * is_open
    assert (await shop.ask(of)).resolution.channel == "email/smtp", "an answer would go where they like it"


async def test_who_is_erased_or_answered_by_then_is_told_nothing(shop: Shop) -> None:
    switch(shop)
    async with acknowledging(shop.settings):
        pass
    await shop.hear(sms("S1"))
    answered = await shop.asked_by(sms("S2", address="tel:+989120000002"))
    await shop.ask(answered)
    closed = await shop.asked_by(sms("S3", address="tel:+989120000003"))
    await shop.answering.command("shop", closed, Close(uuid4(), datetime.now(UTC)), command_id=uuid4())
    async with pool(shop.settings.keys_url) as keys:
        await erase(shop.settings, shop.record, keys, shop.ring, tenant="shop", address=ALI)
    async with acknowledging(shop.settings) as watch:
        await watch.seen()
    assert watch.passed() == {"erased": 1, "not_waiting": 2}
    assert await said(shop) == ["Soon!"]
