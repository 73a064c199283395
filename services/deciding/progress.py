"""How far a decider is, in the record's own row and in numbers for whoever watches."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

_BEGIN: Final = """
    INSERT INTO service.deciders (decider, position, lookups) VALUES (%(decider)s, %(first)s, %(lookups)s)
    ON CONFLICT (decider) DO NOTHING"""
_READ: Final = "SELECT position, lookups FROM service.deciders WHERE decider = %(decider)s"
_MOVE: Final = """
    UPDATE service.deciders SET position = %(after)s
    WHERE decider = %(decider)s AND position = %(before)s AND lookups = %(lookups)s RETURNING position"""
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


@dataclass(frozen=True, slots=True)
class Place:
    """The row of a decider. `name` is also that of its lease; `lookups` is the version of the tables that it fills.

    It is raised whenever the tables mean something else: they are filled again from the record then.
    """

    name: str
    lookups: int


async def begin(record: AsyncConnectionPool, place: Place, *, first: int = 0) -> tuple[int, int]:
    """Where to go on, and the version of the tables that are there. `first` is where the first start of all begins."""
    arguments = {"decider": place.name, "lookups": place.lookups, "first": first}
    async with record.connection() as connection:
        await connection.execute(_BEGIN, arguments)
        row = await (await connection.execute(_READ, arguments)).fetchone()
    assert row is not None  # noqa: S101 - inserted one statement ago
    return row[0], row[1]


def move(cursor: Cursor[DictRow], place: Place, before: int, after: int) -> None:
    """Within the transaction of what was decided, as its last part: it waits for the answer. Raises `Moved`."""
    cursor.execute(_MOVE, {"decider": place.name, "before": before, "after": after, "lookups": place.lookups})
    if cursor.fetchone() is None:
        raise Moved("the decider's position was moved, or its tables are to be filled again")


def refilled(cursor: Cursor[DictRow], place: Place) -> None:
    """Within the transaction that completes the tables of this version."""
    cursor.execute(_REFILLED, {"decider": place.name, "lookups": place.lookups})


def ask_for_refill(cursor: Cursor[DictRow], decider: str) -> None:
    """Let the decider fill its tables again, a running one at its next batch."""
    cursor.execute(_REFILLED, {"decider": decider, "lookups": 0})
