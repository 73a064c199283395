"""How far a set of read models is, per partition: loaded, and moved by compare-and-swap with the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import AsyncConnection

from schemas.topics import Topic
from services.settings import Misconfigured

Place: TypeAlias = tuple[str, int]
"""Topic (without prefix) and partition."""


class Moved(Exception):
    """Another process moved one of these positions: load them again."""


@dataclass(frozen=True, slots=True)
class At:
    """Everything of this partition up to `position` is in the rows. `offset` hints at where that record is."""

    position: int
    offset: int | None = None


async def ensure(connection: AsyncConnection, projection_set: str, topics: Sequence[Topic], partitions: int) -> None:
    """Make the rows of a set that are missing; they begin at 0.

    Raises:
        Misconfigured: the set was filled from topics with another number of partitions, which would misplace events.
    """
    cursor = await connection.execute(
        "SELECT max(partition) + 1 FROM views.positions WHERE projection_set = %s AND topic = ANY(%s)",
        (projection_set, list(topics)),
    )
    row = await cursor.fetchone()
    if row is not None and row[0] not in (None, partitions):
        raise Misconfigured(
            f"the read models are filled from topics with {row[0]} partitions, "
            f"TAMAS_TOPIC_PARTITIONS says {partitions}: set it to {row[0]}"
        )
    await connection.execute(
        "INSERT INTO views.positions (projection_set, topic, partition, position) "
        "SELECT %s, topic, partition, 0 FROM unnest(%s::text[]) AS topic, generate_series(0, %s - 1) AS partition "
        "ORDER BY topic, partition ON CONFLICT DO NOTHING",
        (projection_set, list(topics), partitions),
    )


async def load(connection: AsyncConnection, projection_set: str) -> dict[Place, At]:
    """All positions of the set."""
    cursor = await connection.execute(
        "SELECT topic, partition, position, record_offset FROM views.positions WHERE projection_set = %s",
        (projection_set,),
    )
    return {(row[0], row[1]): At(row[2], row[3]) for row in await cursor.fetchall()}


async def move(tx: AsyncConnection, projection_set: str, before: Mapping[Place, At], after: Mapping[Place, At]) -> None:
    """Move the positions named in `after`, if they still are as in `before`.

    Locks first, in one order: two processes of a set never wait in a circle, and a switch of generations waits for
    neither.

    Raises:
        Moved: they are not; the transaction has to be given up.
    """
    places = sorted(after)
    arguments = {
        "set": projection_set,
        "topics": [topic for topic, _ in places],
        "partitions": [partition for _, partition in places],
        "before": [before[place].position for place in places],
        "after": [after[place].position for place in places],
        "offsets": [after[place].offset for place in places],
    }
    cursor = await tx.execute(
        """
        SELECT p.position FROM views.positions AS p
        JOIN unnest(%(topics)s::text[], %(partitions)s::int[]) AS wanted (topic, partition) USING (topic, partition)
        WHERE p.projection_set = %(set)s ORDER BY p.topic, p.partition FOR UPDATE OF p
        """,
        arguments,
    )
    if [row[0] for row in await cursor.fetchall()] != arguments["before"]:
        raise Moved
    await tx.execute(
        """
        UPDATE views.positions AS p
        SET position = moved.after, record_offset = coalesce(moved.offset, p.record_offset),
            moved_at = clock_timestamp()
        FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(after)s::bigint[], %(offsets)s::bigint[])
            AS moved (topic, partition, after, "offset")
        WHERE p.projection_set = %(set)s AND p.topic = moved.topic AND p.partition = moved.partition
        """,
        arguments,
    )
