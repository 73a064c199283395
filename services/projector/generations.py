"""Generations of read models: made, switched, dropped. Whoever writes reads in the same transaction which is live."""

from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection, sql

from projections.contract import Projection
from projections.generation import enter, schema_of

FILLS: Final = 0x7461_6D01
"""First key of the advisory lock under which one process fills a read model; the second is made of its name."""


class Superseded(Exception):
    """A newer version of this read model is live: this process runs old code and has to stop."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One schema full of tables."""

    name: str
    version: int
    number: int

    @property
    def schema(self) -> str:
        """Where its tables are."""
        return schema_of(self.name, self.number)


async def live(connection: AsyncConnection) -> dict[str, Generation]:
    """The live generation of each read model."""
    cursor = await connection.execute("SELECT name, version, generation FROM views.models WHERE state = 'live'")
    return {row[0]: Generation(*row) for row in await cursor.fetchall()}


def serving(projection: Projection, found: dict[str, Generation]) -> Generation | None:
    """The live generation that this code may write to; None while ours is still to be filled.

    Raises:
        Superseded: see there.
    """
    generation = found.get(projection.name)
    if generation is None or generation.version < projection.version:
        return None
    if generation.version > projection.version:
        raise Superseded(
            f"the read model {projection.name} has version {generation.version}, this process has "
            f"{projection.version}: "
            "start the newer Tamas instead"
        )
    return generation


async def create(tx: AsyncConnection, projection: Projection, *, state: str) -> Generation:
    """Empty tables in a new schema that API connections may read."""
    cursor = await tx.execute(
        "INSERT INTO views.models (name, version, generation, state) "
        "SELECT %(name)s, %(version)s, coalesce(max(generation), 0) + 1, %(state)s FROM views.models "
        "WHERE name = %(name)s RETURNING generation",
        {"name": projection.name, "version": projection.version, "state": state},
    )
    row = await cursor.fetchone()
    generation = Generation(projection.name, projection.version, 1 if row is None else row[0])
    schema = sql.Identifier(generation.schema)
    await tx.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    await tx.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO tamas_views").format(schema))
    await enter(tx, generation.schema)
    await tx.execute(projection.ddl)
    return generation


async def switch(tx: AsyncConnection, new: Generation) -> None:
    """Let this generation serve; the one that did has no state any more, and may be dropped."""
    await tx.execute("DELETE FROM views.models WHERE name = %s AND state = 'live'", (new.name,))
    await tx.execute(
        "UPDATE views.models SET state = 'live' WHERE name = %s AND generation = %s", (new.name, new.number)
    )
    await tx.execute("DELETE FROM views.positions WHERE projection_set = %s", (new.schema,))


async def drop(tx: AsyncConnection, old: Generation) -> None:
    """Remove a generation that does not serve, with all that is known of it."""
    await tx.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(old.schema)))
    await tx.execute(
        "DELETE FROM views.models WHERE name = %s AND generation = %s AND state <> 'live'", (old.name, old.number)
    )
    await tx.execute("DELETE FROM views.positions WHERE projection_set = %s", (old.schema,))


async def unfinished(connection: AsyncConnection, name: str) -> list[Generation]:
    """Generations that a killed process left half filled."""
    cursor = await connection.execute(
        "SELECT name, version, generation FROM views.models WHERE name = %s AND state = 'filling'", (name,)
    )
    return [Generation(*row) for row in await cursor.fetchall()]
