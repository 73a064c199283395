"""The read models as the desk reads them, and how far they are."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from projections.generation import position, reading
from projections.queues.projection import QUEUES
from projections.search.projection import SEARCH
from projections.timeline.projection import TIMELINE

_SET: Final = "views"
_LOOK_SECONDS: Final = 0.01
_CATCH_UP_SECONDS: Final = 2.0


class Views:
    """One per process."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` is to VIEWS_URL in the role tamas_views."""
        self._pool: Final = pool

    @contextlib.asynccontextmanager
    async def queues(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.queues.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._pool.connection() as connection, reading(connection, QUEUES, tenant) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def timeline(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.timeline.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._pool.connection() as connection, reading(connection, TIMELINE, tenant) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def search(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.search.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._pool.connection() as connection, reading(connection, SEARCH, tenant) as tx:
            yield tx

    async def reached(self) -> int:
        """Everything up to this position of the record is in the read models."""
        async with self._pool.connection() as connection:
            return await position(connection, _SET)

    async def reach(self, wanted: int) -> bool:
        """Wait until the read models have this position; False when they did not within two seconds."""
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while await self.reached() < wanted:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True
