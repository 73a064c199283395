"""Where a visitor stands in their thread: the last line, and up to which number ours were delivered and read.

What a script says it has shown is told as a receipt once; these numbers spare us to offer the record what it knows.
"""

import asyncio
from typing import Final, NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

_MOST: Final = 100
_PATIENCE_SECONDS: Final = 3.0
_STAND: Final = """
    SELECT coalesce((
            SELECT max(number) FROM service.chat_lines WHERE tenant = %(tenant)s AND address_id = %(thread)s), 0),
        coalesce(max(delivered), 0), coalesce(max(read), 0)
    FROM service.chat_seen WHERE tenant = %(tenant)s AND address_id = %(thread)s"""
_OURS: Final = """
    SELECT number, event_id FROM service.chat_lines
    WHERE tenant = %(tenant)s AND address_id = %(thread)s AND ours AND number <= %(up_to)s AND number > coalesce((
        SELECT CASE WHEN %(is_read)s THEN read ELSE delivered END FROM service.chat_seen
        WHERE tenant = %(tenant)s AND address_id = %(thread)s), 0)
    ORDER BY number LIMIT %(most)s"""
_NOTE: Final = """
    INSERT INTO service.chat_seen AS s (tenant, address_id, delivered, read)
    VALUES (%(tenant)s, %(thread)s, %(number)s, CASE WHEN %(is_read)s THEN %(number)s ELSE 0 END)
    ON CONFLICT (tenant, address_id) DO UPDATE
    SET delivered = greatest(s.delivered, excluded.delivered), read = greatest(s.read, excluded.read)"""


class Stand(NamedTuple):
    """Numbers of lines; 0 before the first. What was read was delivered, so `delivered` is never the lower one."""

    last: int
    delivered: int
    read: int


class Seen:
    """One per process. Methods raise `psycopg.OperationalError` or `TimeoutError` while the record is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` is to RECORD_URL in the role tamas_chat."""
        self._pool: Final = pool

    async def stand(self, tenant: str, address_id: UUID) -> Stand:
        """How far this thread is."""
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            row = await (await connection.execute(_STAND, {"tenant": tenant, "thread": address_id})).fetchone()
        return Stand(0, 0, 0) if row is None else Stand(*row)

    async def untold(self, tenant: str, address_id: UUID, up_to: int, *, is_read: bool) -> dict[int, UUID]:
        """The next messages of ours, by number, that nobody has noted as delivered, or as read; at most 100."""
        asked = {"tenant": tenant, "thread": address_id, "up_to": up_to, "is_read": is_read, "most": _MOST}
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            return dict(await (await connection.execute(_OURS, asked)).fetchall())

    async def note(self, tenant: str, address_id: UUID, number: int, *, is_read: bool) -> None:
        """Up to this number it was told; that never goes back."""
        told = {"tenant": tenant, "thread": address_id, "number": number, "is_read": is_read}
        async with asyncio.timeout(_PATIENCE_SECONDS), self._pool.connection() as connection:
            await connection.execute(_NOTE, told)
