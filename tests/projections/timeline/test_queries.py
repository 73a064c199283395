from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql

from projections.generation import NotServed, position, reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import _BACKWARDS, _FORWARDS, counts_per_day, interaction, timeline
from services.settings import Settings
from tests.projections.conversations import conversation_id, opened
from tests.projections.story import NOON, TENANT, address_id, interaction_id, message, receipt
from tests.projections.tables import Tables, tables_of


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        await made.fill(
            [[message(n, n) for n in range(1, 8)], [receipt(8, 8, "sent", key=8), message(9, 9, address=2)]]
        )
        yield made


async def test_pages_follow_each_other_without_overlap(tables: Tables) -> None:
    seen: list[int] = []
    before: tuple[datetime, int] | None = None
    while True:
        async with reading(tables.connection, TIMELINE, TENANT) as tx:
            page = await timeline(tx, TENANT, address_id(1), limit=3, before=before)
        if not page:
            break
        seen += [item.position for item in page]
        before = (page[-1].effective_at, page[-1].position)
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"direction": "out"}, [8]),
    ({"channel": "sms/twilio"}, [8]),
    ({"kind": "call"}, []),
    ({"since": NOON + timedelta(seconds=7)}, [8, 7]),
    ({"until": NOON + timedelta(seconds=3)}, [2, 1]),
]


@pytest.mark.parametrize(("filters", "positions"), FILTERS)
async def test_filters(tables: Tables, filters: dict[str, Any], positions: list[int]) -> None:
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        items = await timeline(tx, TENANT, address_id(1), limit=50, **filters)
    assert [item.position for item in items] == positions


async def test_paging_reads_an_index_not_the_table(tables: Tables) -> None:
    await tables.connection.execute("SET enable_seqscan = off")
    cursor = await tables.connection.execute(
        "EXPLAIN SELECT * FROM timeline_g1.interactions WHERE tenant = 'acme' AND address_id = %s AND NOT withdrawn "
        "AND (effective_at, position) < (now(), 5) ORDER BY effective_at DESC, position DESC LIMIT 50",
        (address_id(1),),
    )
    plan = "\n".join(line for (line,) in await cursor.fetchall())
    assert "interactions_newest_first" in plan
    assert "Sort" not in plan


async def test_another_tenant_sees_nothing(tables: Tables) -> None:
    await tables.connection.execute("SET ROLE tamas_views")
    async with reading(tables.connection, TIMELINE, "other") as tx:
        assert await interaction(tx, TENANT, interaction_id(1)) is None
        assert await timeline(tx, TENANT, address_id(1), limit=5) == []


async def test_counts_per_day_are_by_the_given_time_zone(tables: Tables) -> None:
    late = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
    await tables.fill([[message(1, 1, occurred_at=late), message(2, 2)]])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        in_utc = await counts_per_day(tx, TENANT)
        in_tehran = await counts_per_day(tx, TENANT, "Asia/Tehran")
    assert [(row.day, row.count) for row in in_utc] == [(date(2026, 10, 31), 1), (date(2026, 11, 1), 1)]
    assert [(row.day, row.count) for row in in_tehran] == [(date(2026, 11, 1), 2)]


async def test_a_version_that_is_not_live_is_not_served(tables: Tables) -> None:
    await tables.connection.execute("UPDATE views.models SET version = version + 1")
    with pytest.raises(NotServed, match="still being filled"):
        async with reading(tables.connection, TIMELINE, TENANT):
            pass


async def test_position_is_the_lowest_of_the_set(tables: Tables) -> None:
    connection = tables.connection
    assert await position(connection, "views") == 0
    await connection.execute(
        "INSERT INTO views.positions "
        "VALUES ('views', 'interactions', 0, 9), ('views', 'interactions', 1, 7), ('x', '', 0, 1)"
    )
    assert await position(connection, "views") == 7


async def test_a_page_of_a_conversation_is_read_in_order_by_whoever_the_api_is(tables: Tables) -> None:
    await tables.fill([[event for n in range(1, 2001) for event in (message(2 * n, n), opened(2 * n + 1, 1, n))]])
    for name in ("joined", "interactions"):
        await tables.connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(tables.schema, name)))
    await tables.connection.execute("SET ROLE tamas_views")
    asked = {"tenant": TENANT, "conversation_id": conversation_id(1), "at": NOON, "position": 0, "limit": 50}
    for page in (_BACKWARDS, _FORWARDS):
        async with reading(tables.connection, TIMELINE, TENANT) as tx:
            plan = "\n".join(line for (line,) in await (await tx.execute("EXPLAIN " + page, asked)).fetchall())
        assert "joined_in_order" in plan
        assert "Sort" not in plan, plan
