"""A lease in PostgreSQL: one holder at a time by the database's clock; the epoch grows with each new holder.

Holding is no proof by itself (a process may be stopped for a minute and go on): whoever writes under a lease checks the
epoch in the transaction of the write.
"""

from collections.abc import Mapping
from typing import Final

from psycopg_pool import AsyncConnectionPool

from services.record.errors import Fenced

SECONDS: Final = 3
RENEW_SECONDS: Final = 1.0
"""How often a holder renews: two failures in a row still leave it the lease."""

_ACQUIRE: Final = """
    INSERT INTO service.leases AS held (name, holder, epoch, until)
    VALUES (%(name)s, %(holder)s, 1, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = held.epoch + 1, until = excluded.until
    WHERE held.until < clock_timestamp() OR held.holder = excluded.holder
    RETURNING epoch"""
_RENEW: Final = """
    UPDATE service.leases SET until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE name = %(name)s AND epoch = %(epoch)s"""
_RENEW_ALL: Final = """
    UPDATE service.leases AS held SET until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM unnest(%(names)s::text[], %(epochs)s::bigint[]) AS ours (name, epoch)
    WHERE held.name = ours.name AND held.epoch = ours.epoch RETURNING held.name"""
_RELEASE: Final = "UPDATE service.leases SET until = '-infinity' WHERE name = %(name)s AND epoch = %(epoch)s"


async def acquire(pool: AsyncConnectionPool, name: str, holder: str) -> int | None:
    """The new epoch, or None while another holder lives. `holder` names one process, not a host."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_ACQUIRE, {"name": name, "holder": holder, "seconds": SECONDS})
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def renew(pool: AsyncConnectionPool, name: str, epoch: int) -> None:
    """Three more seconds; also after it ran out, as long as nobody else took it.

    Raises:
        Fenced: another took it.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(_RENEW, {"name": name, "epoch": epoch, "seconds": SECONDS})
        if cursor.rowcount == 0:
            raise Fenced(f"another process holds the lease {name} now")


async def renew_all(pool: AsyncConnectionPool, held: Mapping[str, int]) -> set[str]:
    """As `renew`, for many leases with their epochs in one statement; returns the names that another took."""
    arguments = {"names": list(held), "epochs": list(held.values()), "seconds": SECONDS}
    async with pool.connection() as connection:
        rows = await (await connection.execute(_RENEW_ALL, arguments)).fetchall()
    return held.keys() - {name for (name,) in rows}


async def release(pool: AsyncConnectionPool, name: str, epoch: int) -> None:
    """Let another take it at once; nothing happens if one has."""
    async with pool.connection() as connection:
        await connection.execute(_RELEASE, {"name": name, "epoch": epoch})
