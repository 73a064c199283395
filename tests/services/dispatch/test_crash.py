"""Dispatch that is killed, stopped and woken: nothing is sent twice, and no answer is lost."""

import asyncio
import random
import signal
from collections import Counter
from uuid import UUID

import psycopg

from services.settings import Settings
from tests.services.conversations.deciding import execute, rows, until
from tests.services.dispatch import process
from tests.services.dispatch.asking import Asking, asking, dispatching, states
from tests.services.dispatch.provider import Provider, message_ids, providing

MESSAGES = 500
FAST = "10000"
FREED = "UPDATE service.leases SET until = '-infinity' WHERE name = 'dispatch'"


async def _asked(house: Asking) -> list[UUID]:
    conversations = await house.open_all(60)
    return await house.ask_all([(str(n), conversations[n % 60]) for n in range(MESSAGES)])


async def _killed_at_random(settings: Settings, provider: Provider, *words: str) -> None:
    chance = random.Random(20261125)  # noqa: S311 - when to kill
    for _ in range(5):
        one = await asyncio.to_thread(process.start, settings, provider.url, *words)
        # At any moment, but while it sends: also between two attempts, or before the first one.
        most = len(provider.posts) + chance.randrange(50)
        await until(lambda most=most: len(provider.posts) >= most)  # type: ignore[misc]
        await asyncio.sleep(chance.uniform(0, 0.02))
        one.send_signal(signal.SIGKILL)
        one.wait()
        # A killed holder's lease runs out by itself.
        execute(settings, FREED)


def _in_order(provider: Provider) -> bool:
    of: dict[int, list[int]] = {}
    for text in dict.fromkeys(provider.texts()):
        of.setdefault(int(text) % 60, []).append(int(text))
    return all(numbers == sorted(numbers) for numbers in of.values())


async def test_attempt_noted_killed_before_or_in_the_providers_call_is_in_doubt_and_never_sent_twice(
    settings: Settings,
) -> None:
    async with asking(settings, rate_per_second=FAST) as house, providing() as provider:
        provider.seconds = 0.02
        ids = await _asked(house)
        await _killed_at_random(settings, provider)
        async with dispatching(settings, provider):
            await until(lambda: not {"due", "started"} & set(states(settings).values()))
    found, sent = states(settings), Counter(message_ids(provider))
    assert found.keys() == set(ids)
    assert set(found.values()) == {"handed_off", "in_doubt"}
    assert max(sent.values()) == 1
    assert all(sent[one] == 1 for one, state in found.items() if state == "handed_off")
    assert _in_order(provider)
    told = rows(settings, "SELECT count(*) FROM record.decisions WHERE type = 'message.started'")
    assert told == [(MESSAGES,)]


async def test_a_provider_that_knows_a_repeat_leaves_no_doubt(settings: Settings) -> None:
    async with asking(settings, rate_per_second=FAST) as house, providing() as provider:
        provider.seconds = 0.02
        ids = await _asked(house)
        await _killed_at_random(settings, provider, "idempotent")
        async with dispatching(settings, provider, idempotent=True):
            await until(lambda: set(states(settings).values()) == {"handed_off"})
    assert set(message_ids(provider)) == set(ids)
    assert _in_order(provider)


async def test_decided_killed_before_or_in_the_save_nothing_was_sent(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        message_id = await house.ask("once", await house.open())
        with psycopg.connect(settings.record_url) as holder:
            # The save waits for the record's lock, with all but the decisions written.
            holder.execute("SELECT pg_advisory_xact_lock(499850764659)")
            one = await asyncio.to_thread(process.start, settings, provider.url)
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
            await until(lambda: rows(settings, waits) == [(1,)])
            one.send_signal(signal.SIGKILL)
            one.wait()
            # What was sent with the commit behind it would be saved as a whole; here its session dies too.
            execute(settings, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'")
            await until(lambda: rows(settings, waits) == [(0,)])
        assert provider.posts == []
        assert house.told(message_id) == ["asked", "resolved"]
        execute(settings, FREED)
        async with dispatching(settings, provider):
            await house.until_told(message_id, "started", "handed_off")
    assert provider.texts() == ["once"]


async def test_a_timer_fires_twice_and_one_attempt_begins(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        message_id = await house.ask("once", await house.open())
        await house.until_told(message_id, "started", "handed_off")
        # As a second look would find it that was made before the first one was saved.
        execute(settings, "UPDATE service.messages SET state = 'due', due_at = now(), version = version - 2")
        after = await house.ask("after", await house.open())
        # The record refuses it, again and again; then the tables are filled again from the record.
        await house.until_told(after, "started", "handed_off")
        assert house.told(message_id) == ["asked", "resolved", "started", "handed_off"]
    assert provider.texts() == ["once", "after"]


async def test_one_that_was_stopped_in_the_middle_and_wakes_up_is_fenced(settings: Settings) -> None:
    async with asking(settings, rate_per_second=FAST) as house, providing() as provider:
        provider.seconds = 0.02
        ids = await _asked(house)
        old = await asyncio.to_thread(process.start, settings, provider.url)
        await until(lambda: len(provider.posts) > 40)
        old.send_signal(signal.SIGSTOP)
        execute(settings, FREED)
        async with dispatching(settings, provider):
            await until(lambda: "due" not in states(settings).values())
            old.send_signal(signal.SIGCONT)
            await asyncio.sleep(1)
            old.kill()
            old.wait()
        assert max(Counter(message_ids(provider)).values()) == 1
        assert set(states(settings)) == set(ids)
        assert set(states(settings).values()) == {"handed_off", "in_doubt"}


async def test_the_record_gone_for_moments_leaves_no_doubt_and_sends_nothing_twice(settings: Settings) -> None:
    cut = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name IN ('tamas-decisions', 'tamas-dispatch') AND datname = current_database()"""
    async with asking(settings, rate_per_second=FAST) as house, providing() as provider:
        provider.seconds = 0.02
        ids = await _asked(house)
        async with dispatching(settings, provider):
            for number in range(1, 6):
                await until(lambda least=number * 40: len(provider.posts) > least)  # type: ignore[misc]
                execute(settings, cut)
            # What could not be begun for it is tried again later, as after any refusal.
            await until(lambda: all(state in ("handed_off", "due") for state in states(settings).values()))
            retried = "UPDATE service.messages SET due_at = now() WHERE state = 'due'"
            execute(settings, retried)
            await until(lambda: set(states(settings).values()) == {"handed_off"})
    assert Counter(message_ids(provider)) == Counter(ids)
