"""Stops a writer right before one step, so that it can be killed there and nowhere else."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import psycopg

from services.settings import Settings
from tests.flows.installation import eventually
from tests.flows.whole import count

BEFORE_THE_COMMIT = "LOCK TABLE record.seen_0, record.seen_1, record.seen_2, record.seen_3 IN SHARE ROW EXCLUSIVE MODE"
"""Keys are made, nothing of the transaction is there."""
IN_THE_COMMIT = "SELECT pg_advisory_xact_lock(499850764659)"
"""Facts and commit are sent, and wait for the record's lock: what was sent is done even if its sender dies."""
BEFORE_THE_CURSOR_MOVES = "SELECT FROM service.relay_cursor FOR UPDATE"
"""Everything was sent and acknowledged; the relay's cursor has not moved."""

_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"


@contextmanager
def closed(settings: Settings, gate: str) -> Generator[Callable[[], None]]:
    """Nobody passes; what it gives waits until somebody stands there. Writers wait two seconds for a lock."""
    with psycopg.connect(settings.record_url) as connection:
        connection.execute(gate.encode())
        yield lambda: eventually(lambda: count(settings, _WAITING) > 0, "somebody comes to the gate")
        connection.rollback()


@contextmanager
def stopped(settings: Settings, gate: str) -> Generator[None]:
    """Within it somebody stands at the gate."""
    with closed(settings, gate) as arrived:
        arrived()
        yield


def writers_gone(settings: Settings, pids: set[int]) -> None:
    """Wait until PostgreSQL has noticed that the connections of a killed process are dead."""
    listed = ", ".join(map(str, pids)) or "0"
    eventually(
        lambda: count(settings, f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({listed})") == 0, "writers end"
    )


def writers(settings: Settings) -> set[int]:
    """The server's processes behind the connections that write facts now."""
    with psycopg.connect(settings.record_url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'tamas-writer'")
        return {pid for (pid,) in rows.fetchall()}
