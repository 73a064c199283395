"""What every read model owes, whatever it shows."""

import random

import pytest
from psycopg import sql

from projections.contract import Projection
from projections.registry import SETS, topics_of
from schemas.topics import TOPICS
from services.settings import Settings
from tests.projections.calls import whole_story as story
from tests.projections.tables import tables_of

ALL = [projection for projections in SETS.values() for projection in projections]
every = pytest.mark.parametrize("projection", ALL, ids=lambda projection: projection.name)


@every
async def test_twice_is_once(settings: Settings, projection: Projection) -> None:
    async with tables_of(settings, projection) as tables:
        once = await tables.fill([story()])
        assert sum(rows for rows, _ in once.values()) > 0
        assert await tables.fill([story(), story()]) == once
        assert await tables.fill([story() + story()]) == once


@every
async def test_one_by_one_is_all_at_once(settings: Settings, projection: Projection) -> None:
    async with tables_of(settings, projection) as tables:
        assert await tables.fill([[event] for event in story()]) == await tables.fill([story()])


@every
async def test_any_order_gives_the_same_rows(settings: Settings, projection: Projection) -> None:
    async with tables_of(settings, projection) as tables:
        straight = await tables.fill([story()])
        for seed in range(5):
            events = story()
            random.Random(seed).shuffle(events)  # noqa: S311 - an order, not a secret
            assert await tables.fill([[event] for event in events]) == straight, seed


@every
async def test_what_the_api_may_read_is_of_one_tenant(settings: Settings, projection: Projection) -> None:
    async with tables_of(settings, projection) as tables:
        await tables.fill([story()])
        connection = tables.connection
        cursor = await connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' "
            "AND has_table_privilege('tamas_views', oid, 'SELECT')",
            (tables.schema,),
        )
        readable = [name for (name,) in await cursor.fetchall()]
        assert readable
        await connection.execute("SET ROLE tamas_views")
        for name in readable:
            table = sql.Identifier(tables.schema, name)
            counting = sql.SQL("SELECT count(*), count(*) FILTER (WHERE tenant = 'other') FROM {}").format(table)
            for tenant, all_of_other in (("", False), ("acme", False), ("other", True)):
                await connection.execute("SELECT set_config('tamas.tenant', %s, false)", (tenant,))
                row = await (await connection.execute(counting)).fetchone()
                assert row is not None
                assert row[0] == row[1] if all_of_other else row[1] == 0, (name, tenant)
                assert (row[0] > 0) == (tenant != "")


@every
async def test_the_api_cannot_write(settings: Settings, projection: Projection) -> None:
    async with tables_of(settings, projection) as tables:
        cursor = await tables.connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' "
            "AND has_table_privilege('tamas_views', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
            (tables.schema,),
        )
        assert await cursor.fetchone() == (0,)


def test_topics_exist_and_names_are_told_apart() -> None:
    assert len({projection.name for projection in ALL}) == len(ALL)
    for projections in SETS.values():
        assert set(topics_of(projections)) <= set(TOPICS)
