"""Services that are not ours read the topics, while a broker is killed, and prove that they missed nothing."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services import topics
from services.produce import connection
from services.settings import Settings
from tests.brokers import Brokers
from tests.services.relay.wire import Writer, caught_up, relaying, writer
from tests.subscribers.java import Compiled, compiled
from tests.subscribers.seen import Seen, by_confluent, by_kcat

COUNT = 600


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compiled(tmp_path_factory.mktemp("java"))


@pytest.mark.timeout(240)
async def test_subscribers_miss_nothing_while_a_broker_is_killed(
    wired_to_three: Settings, brokers: Brokers, java: Compiled
) -> None:
    source = await writer(wired_to_three)
    async with relaying(wired_to_three) as relay:
        program = java.start(wired_to_three, COUNT)
        reading = asyncio.create_task(asyncio.to_thread(by_confluent, wired_to_three, COUNT))
        await source.write(COUNT // 2, group=10)
        await caught_up(relay, wired_to_three)
        brokers.kill(2)
        await source.write(COUNT - COUNT // 2, group=10)
        await caught_up(relay, wired_to_three)
        seen = await reading
        said, _ = await asyncio.to_thread(program.communicate)
    brokers.start_again(2)
    await asyncio.to_thread(brokers.wait_back, 2)
    _check_all(seen, source)
    _check_all(by_kcat(wired_to_three), source)
    assert program.returncode == 0, said
    assert f"events={COUNT} " in said
    assert said.rstrip().endswith("missed=0")


@pytest.mark.timeout(240)
async def test_subscribers_see_that_something_is_missing(wired: Settings, java: Compiled) -> None:
    """They come after the first records of a partition are gone."""
    source = await writer(wired)
    await source.write(60)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
        await _delete_until(wired, offset=3)
        left = 60 - 3
        program = java.start(wired, left)
        said, _ = await asyncio.to_thread(program.communicate)
        assert program.returncode == 1, said
        assert f"events={left} repeated=0 missed=1" in said
        assert len((await asyncio.to_thread(by_confluent, wired, left)).missed) == 1
        assert len(by_kcat(wired).missed) == 1


def _check_all(seen: Seen, source: Writer) -> None:
    assert seen.missed == []
    assert sorted(seen.ids) == sorted(str(event_id) for event_id in source.written)


async def _delete_until(settings: Settings, offset: int) -> None:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topics.name_of(settings, "interactions"), 0): RecordsToDelete(offset)}
        )
    finally:
        await admin.close()
