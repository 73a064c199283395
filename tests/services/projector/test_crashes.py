"""Killed, joined, repeated, recreated, cut off: each event is applied once and none is missed."""

import asyncio
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from services import topics
from services.embedded import kafka
from services.settings import Settings
from tests.services.projector.running import assigned, eventually, killable, projector, reached
from tests.services.projector.wire import Wire, counted, wire_of


async def once(settings: Settings, count: int) -> None:
    """Every event was applied, and none twice."""
    assert await counted(settings, "SELECT count(*) FROM counting_g1.applied") == count
    assert await counted(settings, "SELECT count(*) FROM counting_g1.applied WHERE times > 1") == 0


async def test_duplicates_of_a_relay_are_skipped(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(200)
        await wire.publish()
        await reached(wired, last)
        await wire.publish(after=50)
        last = await wire.record(10)
        await wire.publish(after=last - 60)
        await reached(wired, last)
        await once(wired, 210)


async def test_an_old_relay_that_wakes_changes_nothing(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(100)
        await wire.publish()
        await reached(wired, last)
        await wire.publish(after=0, note=False)
        last = await wire.record(1)
        await wire.publish()
        await reached(wired, last)
        await once(wired, 101)


async def test_projectors_killed_and_joined_under_load(wired: Settings) -> None:
    async with wire_of(wired) as wire:
        processes = [killable(wired)]
        try:
            for turn in range(6):
                await wire.record(1000, receipts=True)
                await wire.publish()
                await asyncio.sleep(0.5)
                if turn % 2:
                    processes[-1].kill()
                processes.append(killable(wired))
            last = await wire.record(100)
            await wire.publish()
            await reached(wired, last, 90)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        await once(wired, 6100)


async def test_a_restart_goes_on_where_it_was(wired: Settings) -> None:
    async with wire_of(wired) as wire:
        for _ in range(2):
            last = await wire.record(100)
            async with projector(wired) as running:
                await assigned(running)
                await wire.publish()
                await reached(wired, last)
                assert not running.status().from_record
        await once(wired, 200)


async def test_topics_recreated_while_away_are_no_reason_to_miss_anything(wired: Settings) -> None:
    async with wire_of(wired) as wire:
        async with projector(wired) as running:
            await assigned(running)
            last = await wire.record(100)
            await wire.publish()
            await reached(wired, last)
        await wire.record(100)
        await wire.publish()
        await _recreate(wire)
        # The relay goes on from its cursor: what it had published is on no topic any more.
        last = await wire.record(100)
        await wire.publish()
        async with projector(wired) as running:
            await assigned(running)
            await reached(wired, last)
        await once(wired, 300)


async def test_topics_recreated_under_a_running_projector(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(100)
        await wire.publish()
        await reached(wired, last)
        await _recreate(wire)
        last = await wire.record(50)
        await wire.publish(after=last - 20)
        await reached(wired, last)
        await once(wired, 150)


async def test_expired_records_are_read_from_the_record(wired: Settings) -> None:
    async with wire_of(wired) as wire:
        await wire.record(300)
        wire.published = 250
        for partition in range(wired.topic_partitions):
            wire.lasts[wired.topic_prefix + "interactions", partition] = 250
        await wire.publish()
        async with projector(wired) as running:
            await assigned(running)
            await reached(wired, 300)
        await once(wired, 300)


async def test_a_broker_that_is_away_is_replaced_by_the_record(settings: Settings, tmp_path: Path) -> None:
    broker = kafka.start(tmp_path / "kafka")
    wired = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap})
    try:
        async with wire_of(wired) as wire, projector(wired) as running:
            await assigned(running)
            last = await wire.record(100)
            await wire.publish()
            await reached(wired, last)
            broker.stop()
            last = await wire.record(100)
            assert await reached(wired, last) < 4
            assert running.status().from_record
            last = await wire.record(100)
            assert await reached(wired, last) < 1
            broker = kafka.start(tmp_path / "kafka", port=broker.node.port)
            await wire.publish()
            await eventually(lambda: not running.status().from_record)
            last = await wire.record(100)
            await wire.publish()
            await reached(wired, last)
            await once(wired, 400)
    finally:
        broker.stop()


async def _recreate(wire: Wire) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=wire.settings.bootstrap())
    await admin.start()
    try:
        await admin.delete_topics(topics.names(wire.settings))

        async def is_gone() -> bool:
            return not set(topics.names(wire.settings)) & set(await admin.list_topics())

        await eventually(is_gone)
    finally:
        await admin.close()
    await topics.create(wire.settings)
    await wire.reconnect()
