"""Positions decide what is new, whichever source it comes from and whoever else is at work."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import ConsumerRecord
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from projections.contract import Projection
from services import database
from services.cloudevents import to_headers
from services.log_reader import Published, Recorded, published
from services.projector import generations
from services.projector.batch import Gap
from services.projector.fold import Broken, Fold
from services.projector.positions import ensure
from services.record.reader import Row
from services.settings import Settings
from tests.services.projector.counting import BOOM, COUNTING, FAILING
from tests.services.projector.wire import Wire, counted, said, wire_of

PARTITIONS = 3


@asynccontextmanager
async def folds(settings: Settings, count: int = 1, model: Projection = COUNTING) -> AsyncGenerator[list[Fold]]:
    """So many processes of one set with one read model, which counts."""
    async with database.pool(settings.views_url, size=2 * count) as pool:
        async with pool.connection() as connection, connection.transaction():
            await ensure(connection, "views", ("interactions",), PARTITIONS)
            await generations.create(connection, model, state="live")
        made = [_fold(pool, model, parks_bugs=count == 1 and model is COUNTING) for _ in range(count)]
        for fold in made:
            await fold.reload()
        yield made


def _fold(pool: AsyncConnectionPool, model: Projection, *, parks_bugs: bool) -> Fold:
    async def targets(_connection: AsyncConnection) -> list[tuple[Projection, str]]:
        return [(model, "counting_g1")]

    return Fold(pool, "views", targets, asyncio.Event(), parks_bugs=parks_bugs)


def came(rows: Sequence[Row], partition: int | None = None) -> list[Published]:
    """These rows as their topic brings them, or those of one partition."""
    lasts: dict[int, int] = {}
    made: list[Published] = []
    for offset, row in enumerate(rows):
        at = Recorded(row, PARTITIONS).partition
        headers = to_headers(row, lasts.get(at, 0), "http://test")
        lasts[at] = row.position
        if partition is None or at == partition:
            record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
                "interactions", at, offset, 0, 0, None, row.payload, None, 0, 0, headers
            )
            made.append(published(record, ""))
    return made


def recorded(rows: Sequence[Row]) -> list[Recorded]:
    return [Recorded(row, PARTITIONS) for row in rows]


async def rows_of(wire: Wire, count: int = 90) -> list[Row]:
    await wire.record(count)
    return await wire.reader.read(0, count)


async def once(settings: Settings, count: int) -> bool:
    rows = await counted(settings, "SELECT count(*) FROM counting_g1.applied")
    times = await counted(settings, "SELECT coalesce(sum(times), 0) FROM counting_g1.applied")
    return (rows, times) == (count, count)


async def test_from_topic_then_from_the_record(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        rows = await rows_of(wire)
        await fold.fold(came(rows, 1))
        assert fold.lowest == 0
        await fold.fold(recorded(rows), rows[-1].position)
        assert fold.lowest == rows[-1].position
        await fold.fold(came(rows))
        assert await once(settings, len(rows))


async def test_from_the_record_then_from_topic(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        rows = await rows_of(wire)
        await fold.fold(recorded(rows[:50]), rows[49].position)
        await fold.fold(came(rows))
        assert await once(settings, len(rows))


async def test_a_batch_that_repeats_itself(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        entries = came(await rows_of(wire))
        await fold.fold([*entries, *entries[10:40], *entries])
        assert await once(settings, len(entries))


async def test_two_processes_at_the_same_records(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings, 2) as (one, other):
        entries = came(await rows_of(wire, 300))
        pieces = [entries[at : at + 7] for at in range(0, len(entries), 7)]

        async def work(fold: Fold) -> None:
            for piece in pieces:
                await fold.fold(piece)

        await asyncio.gather(work(one), work(other))
        assert await once(settings, len(entries))


async def test_a_gap_is_told_and_nothing_is_applied(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        entries = came(await rows_of(wire))
        with pytest.raises(Gap):
            await fold.fold(entries[45:])
        assert await once(settings, 0)
        await fold.fold(entries[45:], gaps=True)
        assert await once(settings, 45)


async def test_idle_partitions_are_raised_only_where_all_that_was_published_is_in(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        rows = await rows_of(wire)
        lasts = {("interactions", entry.partition): row.position for entry, row in zip(came(rows), rows, strict=True)}
        await fold.fold(came(rows, 1))
        fold.saw(1000, lasts)
        await fold.keep_up()
        assert {at.position for place, at in fold.at.items() if place[1] == 1} == {1000}
        assert fold.lowest == 0
        await fold.fold(came(rows, 0) + came(rows, 2))
        assert await once(settings, len(rows))


async def test_positions_never_go_back(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        rows = await rows_of(wire)
        await fold.fold(recorded(rows), rows[-1].position)
        before = dict(fold.at)
        await fold.fold(recorded(rows[:10]), rows[9].position)
        fold.saw(5, {})
        await fold.keep_up()
        assert fold.at == before


@pytest.mark.parametrize("source", ["record", "topic", "topic, filled"])
async def test_commits_that_a_crash_took_back_are_missed(settings: Settings, source: str) -> None:
    """Read models don't wait for the disk: after a crash of PostgreSQL they may be where they were a moment before."""
    async with wire_of(settings) as wire, folds(settings) as (fold,):
        rows = await rows_of(wire)
        await fold.fold(recorded(rows[:50]), rows[49].position)
        back = rows[19].position
        async with await AsyncConnection.connect(settings.views_url, autocommit=True) as crash:
            await crash.execute("DELETE FROM counting_g1.applied WHERE position > %s", (back,))
            await crash.execute("UPDATE views.positions SET position = %s", (back,))
        entries = recorded(rows[50:]) if source == "record" else came(rows)[50:]
        with pytest.raises(Gap):
            await fold.fold(entries, rows[-1].position if source == "record" else None, gaps=source == "topic, filled")
        assert fold.lowest == back
        await fold.fold(recorded(rows[20:]), rows[-1].position)
        assert await once(settings, len(rows))


async def test_filling_stops_at_a_bug_and_names_the_position(settings: Settings) -> None:
    async with wire_of(settings) as wire, folds(settings, model=FAILING) as (fold,):
        await wire.record(20)
        bad = await wire.append([said(500, "tel:+989120000003", BOOM)])
        await wire.record(20)
        rows = await wire.reader.read(0, 100)
        with pytest.raises(Broken, match=f"position {bad}"):
            await fold.fold(recorded(rows), rows[-1].position)
        assert fold.lowest == bad - 1
