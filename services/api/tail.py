"""One tail of the record for the whole process: wakes streams that have something to read, forgets erased keys."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from typing import Final

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from services.keys.ring import Ring

_LIVE_SECONDS: Final = 0.02
_QUIET_SECONDS: Final = 1.0
_PAGE: Final = 2000
_log: Final = structlog.get_logger()


class Tail:
    """Looks fifty times a second while anybody waits, once a second otherwise."""

    def __init__(self, pool: AsyncConnectionPool, ring: Ring) -> None:
        """`pool` is to RECORD_URL in the role tamas_api."""
        self._pool: Final = pool
        self._ring: Final = ring
        self._position: int | None = None
        self._newest: Final[dict[tuple[str, str], int]] = {}
        self._waiting: Final[defaultdict[str, set[asyncio.Future[None]]]] = defaultdict(set)
        self._asked: Final = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; goes on through every absence of the database."""
        while True:
            try:
                while await self._look() == _PAGE:
                    pass
            except psycopg.OperationalError as error:
                _log.info("api.tail_away", error=type(error).__name__)
                await asyncio.sleep(_QUIET_SECONDS)
            if any(self._waiting.values()):
                await asyncio.sleep(_LIVE_SECONDS)
            else:
                self._asked.clear()
                with_patience = asyncio.timeout(_QUIET_SECONDS)
                try:
                    async with with_patience:
                        await self._asked.wait()
                except TimeoutError:
                    continue

    async def news(self, tenant: str, topics: Collection[str] | None, after: int, seconds: float) -> bool:
        """Wait until an event of this tenant above this position has come; False when none did in time."""
        if self._has(tenant, topics, after):
            return True
        woken = asyncio.get_running_loop().create_future()
        self._waiting[tenant].add(woken)
        self._asked.set()
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            self._waiting[tenant].discard(woken)
        return True

    async def head(self) -> int:
        """The record's end now; whoever reads later than this misses nothing up to it."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute("SELECT record.head()")).fetchone()
        return 0 if row is None else int(row[0])

    def _has(self, tenant: str, topics: Collection[str] | None, after: int) -> bool:
        if topics is None:
            return any(at > after for (owner, _), at in self._newest.items() if owner == tenant)
        return any(self._newest.get((tenant, topic), 0) > after for topic in topics)

    async def _look(self) -> int:
        if self._position is None:
            self._position = await self.head()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT position, tenant, topic, erased FROM record.arrived(%s, %s)", (self._position, _PAGE)
            )
            rows = await cursor.fetchall()
        for position, tenant, topic, erased in rows:
            self._position = position
            self._newest[tenant, topic] = position
            if erased is not None:
                self._ring.drop(tenant, None, erased)
        for tenant in {row[1] for row in rows}:
            for waiting in self._waiting[tenant]:
                if not waiting.done():
                    waiting.set_result(None)
        return len(rows)
