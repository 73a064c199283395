"""How far the decider is, in the record's own row and in numbers for whoever watches."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from services.conversations.lookups import VERSION

DECIDER: Final = "conversations"
"""Its name among deciders, and that of its lease."""

_BEGIN: Final = """
    INSERT INTO service.deciders (decider, position, lookups) VALUES (%(decider)s, 0, %(lookups)s)
    ON CONFLICT (decider) DO NOTHING"""
_READ: Final = "SELECT position, lookups FROM service.deciders WHERE decider = %(decider)s"
_MOVE: Final = """
    UPDATE service.deciders SET position = %(after)s
    WHERE decider = %(decider)s AND position = %(before)s AND lookups = %(lookups)s"""
_REFILLED: Final = "UPDATE service.deciders SET lookups = %(lookups)s WHERE decider = %(decider)s"


class Moved(Exception):
    """The position is not where this process left it, or its tables are to be filled again: begin from the record."""


@dataclass(slots=True)
class Progress:
    """Of this process. `waiting_since` is when the oldest fact in hand was recorded."""

    leads: bool = False
    position: int = 0
    decided: int = 0
    undecided: int = 0
    waiting_since: datetime | None = None
    looked_at: float = 0.0

    def looked(self, position: int, decided: int) -> None:
        """Everything up to here is decided."""
        self.position, self.waiting_since, self.looked_at = position, None, time.monotonic()
        self.decided += decided

    def lag_seconds(self) -> float:
        """How long the oldest fact that was read and is not decided has waited."""
        since = self.waiting_since
        return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())


async def begin(record: AsyncConnectionPool) -> tuple[int, int]:
    """Where to go on, and the version of the lookup tables that are there."""
    arguments = {"decider": DECIDER, "lookups": VERSION}
    async with record.connection() as connection:
        await connection.execute(_BEGIN, arguments)
        row = await (await connection.execute(_READ, arguments)).fetchone()
    assert row is not None  # noqa: S101 - inserted one statement ago
    return row[0], row[1]


def move(cursor: Cursor[DictRow], before: int, after: int) -> None:
    """Within the transaction of what was decided. Raises `Moved`."""
    cursor.execute(_MOVE, {"decider": DECIDER, "before": before, "after": after, "lookups": VERSION})
    if cursor.rowcount == 0:
        raise Moved("the decider's position was moved, or its tables are to be filled again")


def refilled(cursor: Cursor[DictRow]) -> None:
    """Within the transaction that completes the lookup tables of this version."""
    cursor.execute(_REFILLED, {"decider": DECIDER, "lookups": VERSION})


def ask_for_refill(cursor: Cursor[DictRow]) -> None:
    """Let the decider fill its tables again, a running one at its next batch."""
    cursor.execute(_REFILLED, {"decider": DECIDER, "lookups": 0})
