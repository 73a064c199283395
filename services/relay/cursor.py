"""How far the relay is: everything up to the cursor is on the broker, and what each partition holds last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition
from psycopg_pool import AsyncConnectionPool

from services.record.errors import Fenced

_FIRST: Final = """
    INSERT INTO service.relay_cursor (prefix, position, epoch) VALUES (%(prefix)s, %(position)s, %(epoch)s)
    ON CONFLICT DO NOTHING"""
_CLAIM: Final = """
    UPDATE service.relay_cursor SET epoch = %(epoch)s WHERE prefix = %(prefix)s AND epoch <= %(epoch)s
    RETURNING position"""
_PARTITIONS: Final = "SELECT topic, partition, position FROM service.relay_partitions WHERE prefix = %(prefix)s"
_MOVE: Final = """
    WITH moved AS (
        UPDATE service.relay_cursor SET position = %(after)s, moved_at = clock_timestamp()
        WHERE prefix = %(prefix)s AND epoch = %(epoch)s AND position = %(before)s
        RETURNING position
    ), noted AS (
        INSERT INTO service.relay_partitions (prefix, topic, partition, position)
        SELECT %(prefix)s, held.topic, held.partition, held.position
        FROM moved, unnest(%(topics)s::text[], %(partitions)s::int[], %(positions)s::bigint[])
            AS held (topic, partition, position)
        ON CONFLICT (prefix, topic, partition) DO UPDATE SET position = excluded.position
    )
    SELECT count(*) FROM moved"""
_TOUCH: Final = """
    UPDATE service.relay_cursor SET moved_at = clock_timestamp() WHERE prefix = %(prefix)s AND epoch = %(epoch)s"""


@dataclass(slots=True)
class Cursor:
    """The cursor of one topic prefix, moved only while our epoch is the newest; `partitions` holds last positions."""

    pool: AsyncConnectionPool
    prefix: str
    epoch: int
    position: int
    partitions: dict[TopicPartition, int]

    async def move(self, after: int, partitions: Mapping[TopicPartition, int]) -> None:
        """To `after`, forward once acknowledged or back to what has to be published again; one statement.

        Raises:
            Fenced: a newer relay claimed the cursor.
        """
        arguments = {
            "prefix": self.prefix,
            "epoch": self.epoch,
            "before": self.position,
            "after": after,
            "topics": [held.topic for held in partitions],
            "partitions": [held.partition for held in partitions],
            "positions": list(partitions.values()),
        }
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_MOVE, arguments)).fetchone()
        if row is None or row[0] == 0:
            raise Fenced("a newer relay moves the cursor now")
        self.position = after
        self.partitions.update(partitions)

    async def touch(self) -> None:
        """Note that the relay has looked and everything up to the cursor is there: `moved_at` is now.

        Raises:
            Fenced: as `move`.
        """
        async with self.pool.connection() as connection:
            cursor = await connection.execute(_TOUCH, {"prefix": self.prefix, "epoch": self.epoch})
            if cursor.rowcount == 0:
                raise Fenced("a newer relay moves the cursor now")


async def claim(pool: AsyncConnectionPool, prefix: str, epoch: int, *, first: int = 0) -> Cursor:
    """Take the cursor over from any older epoch, or begin after position `first`.

    Raises:
        Fenced: a newer relay has it.
    """
    arguments = {"prefix": prefix, "epoch": epoch, "position": first}
    async with pool.connection() as connection:
        await connection.execute(_FIRST, arguments)
        row = await (await connection.execute(_CLAIM, arguments)).fetchone()
        if row is None:
            raise Fenced("a newer relay moves the cursor now")
        held = await (await connection.execute(_PARTITIONS, arguments)).fetchall()
    return Cursor(pool, prefix, epoch, row[0], {TopicPartition(name, number): last for name, number, last in held})


async def is_new(pool: AsyncConnectionPool, prefix: str) -> bool:
    """True before the first relay of this prefix."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT FROM service.relay_cursor WHERE prefix = %s", (prefix,))
        return await cursor.fetchone() is None
