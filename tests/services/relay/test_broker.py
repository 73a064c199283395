"""Brokers that forget, brokers and databases that go away: the relay goes back, or goes on, by itself."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from services import topics
from services.embedded import kafka, postgres
from services.embedded.process import free_port
from services.migrate import migrate
from services.produce import connection
from services.settings import Settings
from tests.services.relay.wire import caught_up, check_whole, read_topic, relaying, until, writer


@pytest.mark.parametrize("made_again", [True, False], ids=["made again", "left to the relay"])
@pytest.mark.parametrize("busy", [True, False], ids=["while writing", "while idle"])
async def test_topic_deleted_while_running_is_filled_again(wired: Settings, *, made_again: bool, busy: bool) -> None:
    source = await writer(wired)
    async with relaying(wired) as relay:
        await source.write(400)
        await caught_up(relay, wired)
        writing = asyncio.create_task(source.write(1_500 if busy else 0, group=10))
        await _delete(wired, "interactions", made_again=made_again)
        await writing
        if not busy:
            await _whole_again(wired, source.written)
        await source.write(50)
        await _whole_again(wired, source.written)
        assert relay.status().ok
    check_whole(await read_topic(wired), source.written)


async def test_topic_made_anew_and_at_once_longer_than_it_was(wired: Settings) -> None:
    """Its length tells nothing then: only where the first new record went does."""
    source = await writer(wired)
    async with relaying(wired) as relay:
        await source.write(30)
        await caught_up(relay, wired)
        await _delete(wired, "interactions", made_again=True)
        await source.write(500, group=250)
        await _whole_again(wired, source.written)
    check_whole(await read_topic(wired), source.written)


async def test_topic_made_anew_while_the_relay_is_down(wired: Settings) -> None:
    source = await writer(wired)
    await source.write(300)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    await _delete(wired, "interactions", made_again=True)
    await source.write(10)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    assert check_whole(await read_topic(wired), source.written) == 0


async def test_records_expired_by_retention_are_not_brought_back_for_ever(wired: Settings) -> None:
    """All records of a partition removed is the same sight as a purge that a crash interrupted: they come back once."""
    source = await writer(wired)
    await source.write(300)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    admin = AIOKafkaAdminClient(**connection(wired))
    await admin.start()
    name = topics.name_of(wired, "interactions")
    await admin.delete_records({TopicPartition(name, n): RecordsToDelete(-1) for n in range(wired.topic_partitions)})
    await admin.close()
    for _ in range(2):
        async with relaying(wired) as relay:
            await caught_up(relay, wired)
        assert check_whole(await read_topic(wired), source.written) == 0


class Broker:
    """A broker that a test may stop and start again at the same place."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self._port = port
        self._running: kafka.RunningKafka | None = None

    def start(self) -> None:
        self._running = kafka.start(self.data, port=self._port)

    def stop(self) -> None:
        assert self._running is not None
        self._running.stop()


@pytest.fixture
def own_broker(settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Broker]]:
    port = free_port()
    broker = Broker(tmp_path / "kafka", port)
    broker.start()
    yield settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{port}"}), broker
    broker.stop()


async def test_broker_data_wiped(own_broker: tuple[Settings, Broker]) -> None:
    settings, broker = own_broker
    source = await writer(settings)
    async with relaying(settings) as relay:
        await source.write(500)
        await caught_up(relay, settings)
        broker.stop()
        shutil.rmtree(broker.data)
        await source.write(100)
        await until(lambda: not relay.status().ok)
        broker.start()
        await _whole_again(settings, source.written)
        await until(lambda: relay.status().ok)
    assert check_whole(await read_topic(settings), source.written) == 0


async def test_broker_away_then_back(own_broker: tuple[Settings, Broker]) -> None:
    settings, broker = own_broker
    source = await writer(settings)
    async with relaying(settings) as relay:
        await source.write(100)
        await caught_up(relay, settings)
        broker.stop()
        await source.write(100)
        await until(lambda: not relay.status().ok)
        assert relay.status().position < relay.status().head
        broker.start()
        await caught_up(relay, settings)
        await until(lambda: relay.status().ok)
    check_whole(await read_topic(settings), source.written)


async def test_database_away_then_back(wired: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("away")
    for folder in (place, *place.parents[:3]):
        if folder.owner() == place.owner():
            folder.chmod(0o755)
    server = postgres.start(place)
    settings = wired.model_copy(
        update=dict.fromkeys(("database_url", "record_url", "views_url", "keys_url"), server.url)
    )
    migrate(settings)
    source = await writer(settings)
    async with relaying(settings) as relay:
        await source.write(100)
        await caught_up(relay, settings)
        server.stop()
        await until(lambda: not relay.status().ok)
        server = postgres.start(place, port=server.port)
        await source.write(100)
        await caught_up(relay, settings)
        await until(lambda: relay.status().ok)
    server.stop()
    check_whole(await read_topic(settings), source.written)


async def _delete(settings: Settings, topic: str, *, made_again: bool) -> None:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    name = topics.name_of(settings, topic)
    await admin.delete_topics([name])
    while made_again:
        answer: Any = await admin.create_topics([NewTopic(name, settings.topic_partitions, 1)])
        # 36: the old one is still being deleted.
        if answer.topic_errors[0][1] != 36:
            break
        await asyncio.sleep(0.01)
    await admin.close()


async def _whole_again(settings: Settings, written: set[UUID]) -> None:
    wanted = {str(event_id).encode() for event_id in written}
    async with asyncio.timeout(60):
        while {record.headers["ce_eventid"] for record in await read_topic(settings)} != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.3)
