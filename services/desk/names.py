"""What colleagues are called, by the id that facts have of them."""

import time
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

_FRESH_SECONDS: Final = 10.0
_ALL: Final = "SELECT tenant, user_id, name FROM service.users"


class Names:
    """One per process; a few people, so all are read together."""

    def __init__(self, pool: AsyncConnectionPool, clock: Callable[[], float] = time.monotonic) -> None:
        """`pool` is to RECORD_URL in the role tamas_desk."""
        self._pool: Final = pool
        self._clock: Final = clock
        self._known: dict[tuple[str, UUID], str] = {}
        self._read_at = float("-inf")

    async def of(self, tenant: str, ids: Collection[UUID | None]) -> dict[UUID, str]:
        """Those of these that are people of this tenant's desk; agents of another program have no name here."""
        wanted = {one for one in ids if one is not None}
        stale = self._clock() - self._read_at > _FRESH_SECONDS
        if stale or any((tenant, one) not in self._known for one in wanted):
            await self._read()
        return {one: self._known[tenant, one] for one in wanted if (tenant, one) in self._known}

    async def _read(self) -> None:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_ALL)).fetchall()
        self._known = {(tenant, user_id): name for tenant, user_id, name in rows}
        self._read_at = self._clock()
