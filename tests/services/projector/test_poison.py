"""What cannot be applied is set aside in the transaction that goes past it; a flood stops the projector."""

from dataclasses import replace
from uuid import UUID

import pytest

from projections.timeline.projection import TIMELINE
from services.cloudevents import to_headers
from services.projector.poison import RUN, Guard, TooMuchPoison
from services.settings import Settings
from tests.services.projector.counting import BOOM, FAILING
from tests.services.projector.running import assigned, eventually, projector, reached
from tests.services.projector.wire import counted, said, wire_of

STRANGERS: list[tuple[bytes, list[tuple[str, bytes]]]] = [
    (b"not ours at all", []),
    (b"{}", [("ce_position", b"\xff\xfe")]),
    (b"\xff\xfe", [("content-type", b"\xff")]),
    (b"", [("ce_id", b"")]),
    (b"null", [("ce_position", b"")]),
    (b"{}", [("ce_position", b"99999999999999999999999999"), ("ce_prevposition", b"0")]),
    (b"{}", [("ce_position", b"1000000"), ("ce_prevposition", b"0")]),
    (b"{}", [("ce_position", b"-1")]),
]


async def test_strangers_are_parked_and_hold_nothing_up(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        await wire.record(50)
        for number, (value, headers) in enumerate(STRANGERS):
            await wire.poison(value, headers, partition=number % 3)
        await wire.publish()
        await wire.poison(STRANGERS[0][0], STRANGERS[0][1])
        last = await wire.record(50)
        await wire.publish()
        await reached(wired, last)
        assert await counted(wired, "SELECT count(*) FROM counting_g1.applied WHERE times = 1") == 100
        await eventually(lambda: _is(wired, len(STRANGERS) + 1))
        assert not running.status().from_record


async def test_an_unknown_major_version_is_parked_with_its_position(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired) as running:
        await assigned(running)
        last = await wire.record(1)
        (row,) = await wire.reader.read(0, 10)
        newer = replace(row, payload=row.payload.replace(b'"version":1', b'"version":9'))
        await wire.poison(newer.payload, to_headers(newer, 0, "http://test"))
        await eventually(lambda: _is(wired, 1))
        assert await counted(wired, "SELECT position FROM views.parked") == last
        assert await counted(wired, "SELECT count(*) FROM counting_g1.applied") == 0


async def test_a_flood_of_poison_stops_the_projector_before_it_empties_a_read_model(wired: Settings) -> None:
    async with wire_of(wired) as wire:
        for number in range(RUN + 1):
            await wire.poison(b"%d" % number, [])
        with pytest.raises(TooMuchPoison, match="in a row"):
            async with projector(wired) as running:
                await eventually(lambda: not running.status().ok)


async def test_a_bug_parks_the_whole_sequence_of_its_subject_and_nothing_else(wired: Settings) -> None:
    async with wire_of(wired) as wire, projector(wired, (TIMELINE, FAILING)) as running:
        await assigned(running)
        await wire.record(60)
        await wire.append([said(1000, "tel:+989120000003", BOOM)])
        last = await wire.record(60)
        await wire.publish()
        await reached(wired, last)
        assert await counted(wired, "SELECT count(*) FROM counting_g1.applied WHERE times = 1") == 117
        assert await counted(wired, "SELECT count(*) FROM views.parked WHERE subject IS NOT NULL") == 4
        assert await counted(wired, "SELECT count(*) FROM timeline_g1.interactions") == 117


async def test_what_is_held_back_stays_so_after_a_restart(settings: Settings) -> None:
    async with wire_of(settings) as wire:
        async with projector(settings, (TIMELINE, FAILING)):
            await reached(settings, await wire.append([said(1, "tel:+989120000003", BOOM)]))
        async with projector(settings, (TIMELINE, FAILING)):
            await reached(settings, await wire.append([said(2, "tel:+989120000003", "later")]))
        assert await counted(settings, "SELECT count(*) FROM views.parked WHERE subject IS NOT NULL") == 2
        assert await counted(settings, "SELECT count(*) FROM timeline_g1.interactions") == 0


def test_single_bad_records_never_stop_it() -> None:
    guard = Guard()
    for _ in range(20):
        guard.accept(guard.weigh((("interactions", "acme"), number % 10 == 0) for number in range(1000)))


def test_a_ratio_stops_it_without_a_run() -> None:
    with pytest.raises(TooMuchPoison):
        Guard().weigh((("interactions", "acme"), number % 3 == 0) for number in range(1000))


def test_one_source_does_not_count_for_another() -> None:
    sources = [("interactions", str(UUID(int=number))) for number in range(100)]
    Guard().weigh((source, True) for source in sources for _ in range(RUN - 1))


async def _is(settings: Settings, parked: int) -> bool:
    return await counted(settings, "SELECT count(*) FROM views.parked") == parked
