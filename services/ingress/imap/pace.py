"""Bulk never hurts live: a long catch-up waits while the relay or the parsers have not kept up with what came."""

import asyncio
import time
from typing import Final

from psycopg_pool import AsyncConnectionPool

BULK: Final = 50
"""From so many mails on it is a catch-up; fewer are today's mail, which waits for nobody."""

_MOST_LAG_SECONDS: Final = 1.0
_MOST_WAITING: Final = 200
_LOOK_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 30.0
"""After that one batch goes on all the same: a broker that is away for hours keeps no mail out of the record."""

_BEHIND: Final = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - record.behind_since(cursor.position)), 0)::float8,
        (SELECT count(*) FROM (SELECT FROM service.pending LIMIT %(most)s + 1) AS waiting)
    FROM (SELECT %(prefix)s::text AS prefix) AS ours LEFT JOIN service.relay_cursor AS cursor USING (prefix)"""


async def keep(pool: AsyncConnectionPool, prefix: str) -> float:
    """Wait until there is room for a batch; returns the seconds that it took. `prefix` names the relay."""
    started = time.monotonic()
    while True:
        waited = time.monotonic() - started
        if waited > _LONGEST_SECONDS or not await _is_behind(pool, prefix):
            return waited
        await asyncio.sleep(_LOOK_SECONDS)


async def _is_behind(pool: AsyncConnectionPool, prefix: str) -> bool:
    async with pool.connection() as connection:
        cursor = await connection.execute(_BEHIND, {"most": _MOST_WAITING, "prefix": prefix})
        row = await cursor.fetchone()
    return row is not None and (row[0] > _MOST_LAG_SECONDS or row[1] > _MOST_WAITING)
