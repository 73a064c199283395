"""One message for each conversation that a person opened, whatever is repeated."""

import asyncio
import signal

import psycopg
import pytest

from tests.services.acknowledging import process
from tests.services.acknowledging.watch import acknowledging, asked, first_reference, mail, said, switch
from tests.services.answering.shop import SARA, Shop, sms
from tests.services.api.house import ALI
from tests.services.conversations.deciding import execute, rows, until

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'"
_AGAIN = "UPDATE service.deciders SET position = 0 WHERE decider = 'acknowledging'"


async def test_who_writes_is_told_once_with_their_reference(shop: Shop) -> None:
    switch(shop)
    async with acknowledging(shop.settings) as watch:
        await shop.hear(sms("S1"))
        await watch.seen()
        await shop.hear(sms("S1"), sms("S2", "Hello?"))
        await shop.hear(sms("S3", "Anybody?"))
        await watch.seen()
    (one,) = await asked(shop)
    assert one.personal is not None
    assert (one.automatic, one.agent_id, one.personal.address) == (True, None, ALI)
    assert first_reference(shop.settings) in one.personal.text
    assert shop.types("cases") == ["opened", "joined", "joined"], "they still wait for an answer"
    assert rows(shop.settings, "SELECT state FROM service.conversations") == [("waiting",)]
    assert (watch.told.outcomes["asked"], watch.passed()) == (1, {})


async def test_a_new_conversation_of_the_same_person_is_told_again(shop: Shop) -> None:
    switch(shop)
    switch(shop, shop.mail_inbox)
    async with acknowledging(shop.settings) as watch:
        await shop.hear(sms("S1"))
        await shop.hear_on(shop.mail_inbox, mail("M1"))
        await watch.seen()
    assert {one.personal.address for one in await asked(shop) if one.personal} == {ALI, SARA}
    assert len({one.message_id for one in await asked(shop)}) == 2


async def test_what_is_read_again_is_asked_for_once(shop: Shop) -> None:
    switch(shop)
    async with acknowledging(shop.settings) as watch:
        for number in range(12):
            await shop.hear(sms(f"S{number}", address=f"tel:+98912000{number:04}"))
        await watch.seen()
    before = rows(shop.settings, "SELECT position, event_id FROM record.decisions ORDER BY position")
    for _ in range(2):
        execute(shop.settings, _AGAIN)
        async with acknowledging(shop.settings) as watch:
            await watch.seen()
        assert watch.told.outcomes["asked"] == 12, "each was answered as the first time"
    assert rows(shop.settings, "SELECT position, event_id FROM record.decisions ORDER BY position") == before


async def test_two_at_the_same_time_ask_once(shop: Shop) -> None:
    switch(shop)
    async with acknowledging(shop.settings) as one, acknowledging(shop.settings) as other:
        await shop.hear(sms("S1"))
        await one.seen()
        assert (one.told.progress.leads, other.told.progress.leads) == (True, False)
        # As one that was stopped for a minute and does not know that its lease is another's.
        execute(shop.settings, "UPDATE service.leases SET until = '-infinity' WHERE name = 'acknowledging'")
        execute(shop.settings, _AGAIN)
        await until(lambda: other.told.progress.leads)
        await other.seen()
    assert len(await said(shop)) == 1


@pytest.mark.parametrize("is_cut", [True, False])
async def test_decided_killed_before_or_in_the_save_is_asked_for_once(shop: Shop, *, is_cut: bool) -> None:
    switch(shop)
    async with acknowledging(shop.settings):
        pass
    await shop.hear(sms("S1"))
    with psycopg.connect(shop.settings.record_url) as holder:
        # The save waits for the record's lock, with its commit sent behind it.
        holder.execute("SELECT pg_advisory_xact_lock(499850764659)")
        one = await asyncio.to_thread(process.start, shop.settings)
        await until(lambda: rows(shop.settings, _WAITS) == [(1,)])
        one.send_signal(signal.SIGKILL)
        one.wait()
        if is_cut:
            execute(shop.settings, _CUT)
            await until(lambda: rows(shop.settings, _WAITS) == [(0,)])
        assert await said(shop) == []
    await until(lambda: is_cut or shop.types("outbound") == ["asked", "resolved"])
    execute(shop.settings, "UPDATE service.leases SET until = '-infinity' WHERE name = 'acknowledging'")
    async with acknowledging(shop.settings) as watch:
        await watch.seen()
    assert (shop.types("outbound"), shop.types("cases")) == (["asked", "resolved"], ["opened"])
