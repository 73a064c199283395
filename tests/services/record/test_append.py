from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from services.record.append import Appender, FactRow
from services.record.raw import RawRow, new_raw_id
from services.settings import Settings

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _fact(event_id: UUID, raw_id: UUID) -> FactRow:
    return FactRow(
        event_id=event_id,
        tenant="shop",
        topic="interactions",
        type="interaction.received",
        version=1,
        subject=uuid4(),
        inbox_id=uuid4(),
        raw_id=raw_id,
        occurred_at=AT,
        data=b'{"a":1}',
        personal=b"sealed \x00",
    )


def _raw() -> RawRow:
    return RawRow(new_raw_id(), "shop", uuid4(), datetime.now(UTC), "read", b"sealed")


async def test_positions_follow_arrival_and_recorded_at_never_goes_back(settings: Settings) -> None:
    appender = await Appender.open(settings.record_url)
    ids = [uuid4() for _ in range(50)]
    for start in (0, 25):
        raw = _raw()
        group = ids[start : start + 25]
        assert await appender.new_of([(i, 1, "shop", raw.raw_id) for i in group]) == {(i, 1) for i in group}
        await appender.commit([_fact(i, raw.raw_id) for i in group], [raw])
    async with await AsyncConnection.connect(settings.record_url) as connection:
        cursor = await connection.execute(
            "SELECT event_id, recorded_at, occurred_at FROM record.facts ORDER BY position"
        )
        rows = await cursor.fetchall()
    assert [row[0] for row in rows] == ids
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert {row[2] for row in rows} == {AT}
    await appender.close()


async def test_what_was_seen_is_not_new_again(settings: Settings) -> None:
    appender = await Appender.open(settings.record_url)
    event_id, raw = uuid4(), _raw()
    await appender.new_of([(event_id, 1, "shop", raw.raw_id)])
    await appender.commit([_fact(event_id, raw.raw_id)], [raw])
    assert await appender.new_of([(event_id, 1, "shop", uuid4()), (event_id, 1, "other", uuid4())]) == {(event_id, 1)}
    await appender.rollback()
    assert await appender.new_of([(event_id, 1, "shop", uuid4())]) == set()
    await appender.rollback()
    await appender.close()


async def test_ingress_may_not_change_a_fact(settings: Settings) -> None:
    appender = await Appender.open(settings.record_url)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await appender._connection.execute("UPDATE record.facts SET data = ''")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await appender._connection.execute("DELETE FROM record.facts")
    await appender.close()


async def test_a_rolled_back_group_leaves_nothing_and_may_come_again(settings: Settings) -> None:
    appender = await Appender.open(settings.record_url)
    event_id, raw = uuid4(), _raw()
    await appender.new_of([(event_id, 1, "shop", raw.raw_id)])
    await appender.rollback()
    assert await appender.new_of([(event_id, 1, "shop", raw.raw_id)]) == {(event_id, 1)}
    await appender.rollback()
    await appender.close()
