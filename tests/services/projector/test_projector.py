"""The ordinary life of a projector."""

from dataclasses import replace

import pytest

from projections.timeline.projection import TIMELINE
from services.projector.generations import Superseded
from services.projector.rebuild import UnknownReadModel, rebuild
from services.settings import Settings
from tests.services.projector.running import assigned, eventually, projector, reached
from tests.services.projector.wire import counted, serving, wire_of


async def test_what_the_relay_publishes_is_shown_within_a_second(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(50, receipts=True)
        await wire.publish()
        assert await reached(wired, last) < 1
        assert not running.status().from_record
        assert await counted(wired, "SELECT count(*) FROM timeline_g1.interactions WHERE body IS NOT NULL") == 33
        assert await counted(wired, "SELECT count(*) FROM counting_g1.applied WHERE times = 1") == 50


async def test_idle_partitions_keep_up_with_the_relay(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(1)
        await wire.publish()
        assert await reached(wired, last) < 1
        assert not running.status().from_record


async def test_rebuilt_is_live_and_life_goes_on(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(3000, receipts=True)
        await wire.publish()
        await reached(wired, last)
        before = await serving(wired)
        report = await rebuild(wired, "timeline")
        assert (report.compared, report.differences, report.generation, report.events) == (True, {}, 2, 3000)
        assert await serving(wired) == before
        assert await counted(wired, "SELECT count(*) FROM pg_namespace WHERE nspname = 'timeline_g1'") == 0
        last = await wire.record(100)
        await wire.publish()
        await reached(wired, last)
        assert (await serving(wired))["interactions"][0] == before["interactions"][0] + 100


async def test_a_rebuild_tells_what_was_wrong_and_mends_it(settings: Settings) -> None:
    async with wire_of(settings) as wire, projector(settings):
        await reached(settings, await wire.record(20))
        right = await serving(settings)
        await counted(settings, "UPDATE timeline_g1.interactions SET body = 'wrong' WHERE position = 5 RETURNING 1")
        report = await rebuild(settings, "timeline")
        assert list(report.differences) == ["interactions"]
        assert report.differences["interactions"][1] == right["interactions"]
        assert await serving(settings) == right


async def test_a_raised_version_is_filled_beside_and_switched(settings: Settings) -> None:
    async with wire_of(settings) as wire:
        async with projector(settings, (TIMELINE,)):
            await reached(settings, await wire.record(300, receipts=True))
        first = await serving(settings)
        raised = TIMELINE.version + 1
        async with projector(settings, (replace(TIMELINE, version=raised),)):

            async def is_switched() -> bool:
                return await counted(settings, "SELECT version FROM views.models WHERE state = 'live'") == raised

            await eventually(is_switched)
            assert await serving(settings) == first
            await reached(settings, await wire.record(10))
        with pytest.raises(Superseded, match="start the newer Tamas"):
            async with projector(settings, (TIMELINE,)):
                pass


async def test_an_unknown_read_model_is_told_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(UnknownReadModel, match="there are: queues, search, timeline"):
        await rebuild(settings, "nothing")


async def test_an_erased_key_leaves_the_rows(settings: Settings) -> None:
    async with wire_of(settings) as wire, projector(settings):
        await wire.ring.forget("acme", "tel:+989120000003")
        await reached(settings, await wire.record(40))
        await wire.ring.forget("acme", "tel:+989120000003")
        report = await rebuild(settings, "timeline")
        assert report.differences
        assert await counted(settings, "SELECT count(*) FROM timeline_g2.interactions WHERE body IS NULL") == 2
        assert await counted(settings, "SELECT count(*) FROM timeline_g2.interactions") == 40
