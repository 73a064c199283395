"""One tail of the record for the whole process: wakes the streams that have something to read."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

_LIVE_SECONDS: Final = 0.02
_QUIET_SECONDS: Final = 1.0
_PAGE: Final = 2000
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    tenant: str
    topics: frozenset[str] | None
    woken: asyncio.Future[None]

    def wants(self, tenant: str, topic: str) -> bool:
        return tenant == self.tenant and (self.topics is None or topic in self.topics)


class Tail:
    """Looks fifty times a second while anybody waits, once a second otherwise."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` is to RECORD_URL in the role tamas_api."""
        self._pool: Final = pool
        self._position: int | None = None
        self._newest: Final[dict[tuple[str, str], int]] = {}
        self._waiting: Final[set[_Waiting]] = set()
        self._asked: Final = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; goes on through every absence of the database."""
        while True:
            try:
                while await self._look() == _PAGE:
                    pass
            except psycopg.Error as error:
                _log.warning("api.tail_away", error=type(error).__name__)
                await asyncio.sleep(_QUIET_SECONDS)
            if self._waiting:
                await asyncio.sleep(_LIVE_SECONDS)
            else:
                self._asked.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_QUIET_SECONDS):
                        await self._asked.wait()

    async def news(self, tenant: str, topics: Collection[str] | None, after: int, seconds: float) -> bool:
        """Wait until an event of this tenant above this position has come; False when none did in time."""
        if self._has(tenant, topics, after):
            return True
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(tenant, None if topics is None else frozenset(topics), woken)
        self._waiting.add(waiting)
        self._asked.set()
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
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
                "SELECT number, tenant, topic FROM record.arrived(%s, %s) AS news (number, tenant, topic)",
                (self._position, _PAGE),
            )
            rows = await cursor.fetchall()
        for position, tenant, topic in rows:
            self._position = position
            self._newest[tenant, topic] = position
        arrived = {(tenant, topic) for _, tenant, topic in rows}
        for one in self._waiting:
            if not one.woken.done() and any(one.wants(tenant, topic) for tenant, topic in arrived):
                one.woken.set_result(None)
        return len(rows)
