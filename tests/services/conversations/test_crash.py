"""Deciders that are killed, stopped and woken: the same decisions, once."""

import asyncio
import signal

import psycopg

from schemas.conversation import ConversationJoined, ConversationOpened
from services.settings import Settings
from tests.services.conversations import process
from tests.services.conversations.deciding import (
    Writer,
    caught_up,
    decided,
    deciding,
    execute,
    mail,
    rows,
    sms,
    tables,
    until,
    writing,
)

PEOPLE = 40


async def _write(writer: Writer, groups: int, size: int) -> None:
    for group in range(groups):
        facts = [sms(f"tel:+98912{(group * 7 + n) % PEOPLE:07}") for n in range(size - 2)]
        mails = [mail(f"<{group}.{n}@x>", f"<{group - 1}.{n}@x>", address=f"mailto:{n}@x.example") for n in range(2)]
        await writer.write(*facts, *mails)


def _check_once(settings: Settings, written: int) -> None:
    """Every interaction belongs to one conversation, decided once, in the order of the record."""
    facts = [fact for fact in decided(settings) if isinstance(fact, (ConversationOpened, ConversationJoined))]
    assert len({fact.interaction_id for fact in facts}) == len(facts) == written
    opened = [fact.conversation_id for fact in facts if isinstance(fact, ConversationOpened)]
    assert len(opened) == len(set(opened)) == PEOPLE + 2
    causes = rows(settings, "SELECT causation_id FROM record.decisions WHERE topic = 'cases' ORDER BY position")
    order = rows(settings, "SELECT event_id FROM record.facts WHERE topic = 'interactions' ORDER BY position")
    assert causes == order
    counted = "SELECT count(*), max(version) = max(interactions) FROM service.conversations"
    assert rows(settings, counted) == [(PEOPLE + 2, True)]


async def test_decided_killed_before_or_in_the_save_is_decided_again_once(settings: Settings) -> None:
    async with writing(settings) as writer:
        work = asyncio.create_task(_write(writer, 150, 40))
        for milliseconds in (40, 110, 190, 260, 330, 420):
            one = await asyncio.to_thread(process.start, settings)
            await asyncio.sleep(milliseconds / 1000)
            one.send_signal(signal.SIGKILL)
            one.wait()
            # A killed holder's lease runs out by itself.
            execute(settings, "UPDATE service.leases SET until = '-infinity'")
        await work
        async with deciding(settings):
            await caught_up(settings)
    _check_once(settings, 150 * 40)
    before = tables(settings)
    execute(settings, "UPDATE service.deciders SET lookups = 0")
    async with deciding(settings):
        await until(lambda: rows(settings, "SELECT lookups FROM service.deciders") == [(1,)])
    assert tables(settings) == before


async def test_killed_in_the_middle_of_the_save_nothing_of_it_is_there(settings: Settings) -> None:
    async with writing(settings) as writer:
        await writer.write(*[sms(f"tel:+98912{n:07}") for n in range(PEOPLE)])
        with psycopg.connect(settings.record_url) as holder:
            # The save waits for the record's lock, with all but the decisions written.
            holder.execute("SELECT pg_advisory_xact_lock(499850764659)")
            one = await asyncio.to_thread(process.start, settings)
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
            await until(lambda: rows(settings, waits) == [(1,)])
            one.send_signal(signal.SIGKILL)
            one.wait()
            # What was sent with the commit behind it would be saved as a whole; here its session dies too.
            execute(settings, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'")
            await until(lambda: rows(settings, waits) == [(0,)])
        assert rows(settings, "SELECT position FROM service.deciders") == [(0,)]
        assert not any(tables(settings).values())
        execute(settings, "UPDATE service.leases SET until = '-infinity'")
        async with deciding(settings):
            await caught_up(settings)
    assert len(decided(settings)) == PEOPLE


async def test_of_two_one_decides_and_the_other_takes_over(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings) as second:
        await writer.write(sms())
        await caught_up(settings)
        async with deciding(settings) as third:
            await writer.write(sms())
            await caught_up(settings)
            assert (second.progress.leads, third.progress.leads) == (True, False)
    assert len(decided(settings)) == 2


async def test_one_that_was_stopped_and_wakes_up_is_fenced(settings: Settings) -> None:
    async with writing(settings) as writer:
        old = await asyncio.to_thread(process.start, settings)
        work = asyncio.create_task(_write(writer, 60, 40))
        await asyncio.sleep(0.2)
        old.send_signal(signal.SIGSTOP)
        execute(settings, "UPDATE service.leases SET until = '-infinity'")
        async with deciding(settings) as new:
            await until(lambda: new.progress.leads)
            old.send_signal(signal.SIGCONT)
            await work
            await caught_up(settings)
            assert new.progress.leads
        old.kill()
        old.wait()
    _check_once(settings, 60 * 40)
