"""Both sources tell the same of the same event."""

from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner

from schemas.event import Undecodable
from services.cloudevents import Headers, to_headers
from services.log_reader import FROM_RECORD, Recorded, claim, owned, published
from services.record.reader import Row
from services.settings import Settings
from tests.services.projector.wire import wire_of

PREFIX = "t."


def record(value: bytes | None, headers: Headers) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(PREFIX + "interactions", 2, 17, 0, 0, None, value, None, 0, 0, headers)


async def rows_of(settings: Settings, count: int) -> list[Row]:
    async with wire_of(settings) as wire:
        await wire.record(count)
        return await wire.reader.read(0, count)


async def test_the_same_event_from_either_source(settings: Settings) -> None:
    (row,) = await rows_of(settings, 1)
    came = published(record(row.payload, to_headers(row, 0, "http://t")), PREFIX)
    kept = Recorded(row, 3)
    assert came.event() == kept.event()
    assert (came.topic, came.position, came.tenant, came.digest()) == (
        kept.topic,
        kept.position,
        kept.tenant,
        kept.digest(),
    )
    assert (came.offset, came.previous, kept.offset, kept.previous) == (17, 0, FROM_RECORD, None)


async def test_the_partition_is_the_one_that_kafkas_clients_choose(settings: Settings) -> None:
    chosen = DefaultPartitioner()
    for row in await rows_of(settings, 20):
        for partitions in (1, 3, 12):
            numbers = list(range(partitions))
            assert Recorded(row, partitions).partition == chosen(str(row.subject).encode(), numbers, numbers)


GARBAGE: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
    (None, []),
    (b"\xff", [("ce_position", b"x")]),
    (b"{}", [("ce_position", None), ("ce_tenant", None)]),
    (b"{}", [("ce_position", b"5"), ("ce_prevposition", None), ("ce_tenant", b"\xff")]),
    (b"{", [("ce_position", b"5"), ("ce_type", b"tamas.x.v1")]),
    (b"{}", [("ce_position", b"5"), ("ce_tenant", None), ("ce_type", None)]),
]


@pytest.mark.parametrize(("value", "headers"), GARBAGE)
def test_garbage_is_told_only_when_it_is_decoded(value: bytes | None, headers: Headers) -> None:
    entry = published(record(value, headers), PREFIX)
    assert isinstance(entry.tenant, str)
    assert len(entry.digest()) == 32
    with pytest.raises(Undecodable):
        entry.event()


async def test_a_position_beyond_the_record_is_not_believed(settings: Settings) -> None:
    (row,) = await rows_of(settings, 1)
    entry = published(record(row.payload, to_headers(row, 0, "http://t")), PREFIX)
    assert owned(entry, row.position) is entry
    forged = owned(entry, row.position - 1)
    assert (forged.position, forged.previous) == (None, None)
    with pytest.raises(Undecodable, match="something else writes"):
        forged.event()


async def test_a_claim_check_is_fetched_from_the_record(settings: Settings) -> None:
    async with wire_of(settings) as wire:
        await wire.record(3)
        row = (await wire.reader.read(0, 3))[1]
        by_reference = published(record(b"", to_headers(row, 0, "http://t", by_reference=True)), PREFIX)
        assert (await claim(by_reference, wire.reader)).event() == Recorded(row, 3).event()
        lost = replace(by_reference, position=999)
        with pytest.raises(Undecodable):
            (await claim(lost, wire.reader)).event()
