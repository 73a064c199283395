"""What a batch costs must not grow with what is in the tables, nor the staging tables with what went through them."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from psycopg import sql

from projections.generation import enter
from projections.timeline import projection
from projections.timeline.projection import TIMELINE
from schemas.event import Event
from services.settings import Settings
from tests.projections.calls import begun, on_leg
from tests.projections.story import erasure, message, receipt, withdrawal
from tests.projections.tables import Tables, tables_of

_MANY = 20_000
_STAGED = "SELECT pg_relation_size('timeline_new_messages')"


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        yield made


async def test_no_batch_reads_a_whole_table(tables: Tables) -> None:
    """PostgreSQL takes an empty staging table for a full one, and would read everything to join it."""
    numbers = range(1, _MANY)
    await tables.fill([[message(one, one, address=one % 2000) for one in numbers]])
    await tables.apply([receipt(_MANY + one, one, "sent", key=one, address=one % 2000) for one in numbers])
    for name in ("interactions", "receipts"):
        await tables.connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(tables.schema, name)))
    batches = [
        [message(90_001, 90_001)],
        [receipt(90_002, 5, "delivered", key=90_002)],
        [withdrawal(90_003, message(7, 7))],
        [erasure(90_004, 9)],
        [begun(90_005, 90_005), on_leg(90_006, 90_005, "completed", seconds=5)],
    ]
    for batch in batches:
        assert await read_at_once(tables, batch) == {"interactions": 0, "receipts": 0}, batch[0].fact.type


async def read_at_once(tables: Tables, batch: Sequence[Event]) -> dict[str, int]:
    """How many sequential scans a batch makes, by table."""
    async with tables.connection.transaction():
        await enter(tables.connection, tables.schema)
        await TIMELINE.apply(batch, tables.connection)
        cursor = await tables.connection.execute(
            "SELECT relname, seq_scan FROM pg_stat_xact_user_tables "
            "WHERE schemaname = %s AND relname IN ('interactions', 'receipts') ORDER BY relname",
            (tables.schema,),
        )
        return dict(await cursor.fetchall())


async def test_staging_tables_give_their_space_back(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "_MOST_BYTES", 64 * 1024)
    sizes: list[int] = []
    for number in range(1, 60):
        await tables.apply([message(number * 100 + one, number * 100 + one) for one in range(50)])
        row = await (await tables.connection.execute(_STAGED)).fetchone()
        sizes.append(row[0] if row else 0)
    assert max(sizes) < 256 * 1024
    assert min(sizes[1:]) < max(sizes)
