"""Relay and projector on three brokers, each of which is killed in turn while they work."""

import asyncio
from collections import defaultdict
from itertools import pairwise

import pytest

from services import topic_state, topics
from services.pause import pause
from services.settings import Settings
from tests.brokers import Brokers
from tests.services.projector.running import projector, reached
from tests.services.projector.wire import counted
from tests.services.relay.wire import Read, Writer, caught_up, check_whole, read_topic, relaying, until, writer

WHILE_AWAY = 150
ADDRESSES = 40


async def test_topics_have_three_copies_of_which_two_must_be_written(wired_to_three: Settings) -> None:
    await topics.create(wired_to_three)
    states = await topic_state.look(wired_to_three)
    assert {(state.copies, state.configs["min.insync.replicas"]) for state in states} == {(3, "2")}
    assert topic_state.findings(wired_to_three, states) == []


@pytest.mark.timeout(240)
async def test_each_broker_is_killed_in_turn_while_they_work(wired_to_three: Settings, brokers: Brokers) -> None:
    source, enough = await writer(wired_to_three, subjects=ADDRESSES), asyncio.Event()
    async with relaying(wired_to_three) as relay, projector(wired_to_three):
        writing = asyncio.create_task(_keep_writing(source, enough))
        for node_id in brokers.ids:
            await _more(source)
            brokers.kill(node_id)
            await _more(source)
            # What was written after the kill is on the wire before that broker is back.
            head = relay.status().head
            await until(lambda wanted=head: relay.status().position >= wanted)
            brokers.start_again(node_id)
            await asyncio.to_thread(brokers.wait_back, node_id)
        enough.set()
        await writing
        await caught_up(relay, wired_to_three)
        await reached(wired_to_three, relay.status().position)
    records = await read_topic(wired_to_three)
    assert len(records) >= 2 * WHILE_AWAY * len(brokers.ids)
    # A session that a slow failover ended sends again what was not acknowledged; who skips by position sees none of it.
    assert len(records) - check_whole(records, source.written) == len(source.written)
    _check_order(records)
    assert await counted(wired_to_three, "SELECT count(*) FROM counting_g1.applied") == len(source.written)
    assert await counted(wired_to_three, "SELECT count(*) FROM counting_g1.applied WHERE times > 1") == 0


async def _keep_writing(source: Writer, enough: asyncio.Event) -> None:
    while not enough.is_set():
        await source.write(ADDRESSES, group=5)
        await pause(enough, 0.1)


async def _more(source: Writer) -> None:
    wanted = len(source.written) + WHILE_AWAY
    await until(lambda: len(source.written) >= wanted)


def _check_order(records: list[Read]) -> None:
    """Each address's interactions stand on the wire as they were recorded."""
    by_address: dict[bytes, list[int]] = defaultdict(list)
    at: dict[int, int] = {}
    for record in records:
        if record.position > at.get(record.partition, 0):
            at[record.partition] = record.position
            by_address[record.key].append(record.position)
    assert len(by_address) == ADDRESSES
    assert all(before < after for positions in by_address.values() for before, after in pairwise(positions))
