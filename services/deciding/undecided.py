"""What could not be decided, and all that came after it for the same subject: set aside, tried at the next start."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from services.record.reader import Row

_READ: Final = "SELECT subject, position FROM service.undecided WHERE decider = %s ORDER BY position"
_TAKE: Final = "DELETE FROM service.undecided WHERE decider = %s AND position = ANY(%s)"
_PUT: Final = """
    INSERT INTO service.undecided (decider, position, tenant, subject, reason) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (decider, position) DO UPDATE SET reason = excluded.reason"""


async def read(record: AsyncConnectionPool, decider: str) -> dict[UUID, list[int]]:
    """Positions by subject, in order."""
    found: dict[UUID, list[int]] = defaultdict(list)
    async with record.connection() as connection:
        for subject, position in await (await connection.execute(_READ, (decider,))).fetchall():
            found[subject].append(position)
    return found


def take(cursor: Cursor[DictRow], decider: str, positions: Sequence[int]) -> None:
    """They are being decided in this transaction."""
    if positions:
        cursor.execute(_TAKE, (decider, list(positions)))


def put(cursor: Cursor[DictRow], decider: str, rows: Sequence[tuple[Row, str]]) -> None:
    """Set these aside, with the reason in a sentence without personal data."""
    for row, reason in rows:
        cursor.execute(_PUT, (decider, row.position, row.tenant, row.subject, reason))
