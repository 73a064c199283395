"""A read model's tables in a schema of their own, filled batch by batch, and all that is in them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, sql

from projections.contract import Projection
from projections.generation import digest, enter, schema_of
from schemas.event import Event
from services.settings import Settings

Digest = dict[str, tuple[int, int]]


class Tables:
    """Generation 1 of a read model, without a projector."""

    def __init__(self, connection: AsyncConnection, projection: Projection) -> None:
        self.connection = connection
        self.projection = projection
        self.schema = schema_of(projection.name, 1)

    async def fill(self, batches: Sequence[Sequence[Event]]) -> Digest:
        """Empty the tables, apply each batch in a transaction of its own, and tell what is in them."""
        await self._truncate()
        for batch in batches:
            await self.apply(batch)
        return await digest(self.connection, self.schema)

    async def apply(self, batch: Sequence[Event]) -> None:
        async with self.connection.transaction():
            await enter(self.connection, self.schema)
            await self.projection.apply(batch, self.connection)

    async def _truncate(self) -> None:
        cursor = await self.connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (self.schema,))
        for (table,) in await cursor.fetchall():
            await self.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(self.schema, table)))


@asynccontextmanager
async def tables_of(settings: Settings, projection: Projection) -> AsyncGenerator[Tables]:
    """Its tables, made as a projector makes them, and registered as live."""
    async with await AsyncConnection.connect(
        settings.views_url, autocommit=True, options="-c TimeZone=UTC -c synchronous_commit=off"
    ) as connection:
        tables = Tables(connection, projection)
        schema = sql.Identifier(tables.schema)
        async with connection.transaction():
            await connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO tamas_views").format(schema))
            await enter(connection, tables.schema)
            await connection.execute(projection.ddl)
            await connection.execute(
                "INSERT INTO views.models (name, version, generation, state) VALUES (%s, %s, 1, 'live')",
                (projection.name, projection.version),
            )
        yield tables
