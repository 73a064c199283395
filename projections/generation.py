"""Where the tables of a read model are: one schema per generation, one of them live."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, sql

from projections.contract import Projection


class NotServed(Exception):
    """No generation of this version is live: it is being filled, or the projector has never run. Try again later."""


def schema_of(name: str, generation: int) -> str:
    """The schema that holds this generation's tables."""
    return f"{name}_g{generation}"


async def enter(tx: AsyncConnection, schema: str) -> None:
    """Let unqualified names mean this schema until the transaction ends."""
    await tx.execute("SELECT set_config('search_path', quote_ident(%s), true)", (schema,))


@asynccontextmanager
async def reading(connection: AsyncConnection, projection: Projection, tenant: str) -> AsyncGenerator[AsyncConnection]:
    """A transaction in which the functions of a read model's `queries` see the live generation and this tenant only.

    Raises:
        NotServed: no generation of this code's version is live.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT set_config('search_path', quote_ident(name || '_g' || generation), true), "
            "set_config('tamas.tenant', %s, true) "
            "FROM views.models WHERE name = %s AND version = %s AND state = 'live'",
            (tenant, projection.name, projection.version),
        )
        if await cursor.fetchone() is None:
            raise NotServed(f"the read model {projection.name} (version {projection.version}) is still being filled")
        yield connection


async def position(connection: AsyncConnection, projection_set: str) -> int:
    """Everything up to this position of the record is in the read models of the set; 0 before the first run."""
    cursor = await connection.execute(
        "SELECT coalesce(min(position), 0) FROM views.positions WHERE projection_set = %s", (projection_set,)
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def digest(connection: AsyncConnection, schema: str) -> dict[str, tuple[int, int]]:
    """Rows and a checksum for each table of a generation; the order of rows does not count."""
    cursor = await connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", (schema,)
    )
    found: dict[str, tuple[int, int]] = {}
    for (table,) in await cursor.fetchall():
        summed = await connection.execute(
            sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0) FROM {} AS r").format(
                sql.Identifier(schema, table)
            )
        )
        row = await summed.fetchone()
        found[table] = (0, 0) if row is None else (int(row[0]), int(row[1]))
    return found
