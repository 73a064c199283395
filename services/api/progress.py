"""How far the read models are behind the record, asked of the databases for all requests together."""

import asyncio
import time
from typing import Final

from psycopg_pool import AsyncConnectionPool

from projections.generation import position
from services.api.problems import away

PATIENCE_SECONDS: Final = 2.0
_FRESH_SECONDS: Final = 0.02
_LAG: Final = "SELECT coalesce(extract(epoch FROM clock_timestamp() - record.behind_since(%s)), 0)::float8"


class Progress:
    """One per process and set of read models."""

    def __init__(self, record: AsyncConnectionPool, views: AsyncConnectionPool, projection_set: str = "views") -> None:
        """Pools in the roles of the API."""
        self._set: Final = projection_set
        self._record: Final = record
        self._views: Final = views
        self._asking: Final = asyncio.Lock()
        self._asked_at = float("-inf")
        self._position = 0
        self._lag_seconds = 0.0

    async def now(self) -> tuple[int, float]:
        """Everything up to this position is in the read models; seconds that the first event above it has waited."""
        if time.monotonic() - self._asked_at > _FRESH_SECONDS:
            async with self._asking:
                if time.monotonic() - self._asked_at > _FRESH_SECONDS:
                    await self._ask()
        return self._position, self._lag_seconds

    async def reach(self, wanted: int) -> None:
        """Wait until the read models have this position.

        Raises:
            Problem: 503, they did not within two seconds.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (await self.now())[0] < wanted:
            if time.monotonic() > deadline:
                raise away(
                    f"The read models are at position {self._position}, not yet at {wanted}.", code="not_yet_there"
                )
            await asyncio.sleep(_FRESH_SECONDS)

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        async with self._views.connection() as connection:
            reached = await position(connection, self._set)
        async with self._record.connection() as connection:
            cursor = await connection.execute(_LAG, (reached,))
            row = await cursor.fetchone()
        self._position = reached
        self._lag_seconds = 0.0 if row is None else max(0.0, float(row[0]))
        self._asked_at = asked_at
