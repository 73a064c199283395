"""The moment that a backup shows: a snapshot of the record, and right behind it one of the keys.

In this order, because a key is committed before the first fact under it: every fact that the record's snapshot has can
be opened. Milliseconds apart, and again if an erasure was under way: an address that is erased in the keys is erased in
the record, and the other way round.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import Connection, IsolationLevel

from services.settings import Settings

PATIENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.25
_ERASURES: Final = """
    SELECT count(*), count(*) FILTER (WHERE wrapped IS NOT NULL OR lookup IS NOT NULL) FROM keys.subjects
    WHERE erased_at IS NOT NULL"""
_EXPORT: Final = "SELECT pg_export_snapshot()"


@dataclass(frozen=True, slots=True)
class Moment:
    """Both transactions stay open while programs read by their snapshots."""

    record: Connection
    keys: Connection
    record_snapshot: str
    keys_snapshot: str
    erasures_under_way: int


@contextmanager
def moment(settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> Generator[Moment]:
    """A moment without an erasure under way, or, after so long, whichever it is.

    Raises:
        psycopg.OperationalError: PostgreSQL is away.
    """
    deadline = time.monotonic() + patience_seconds
    with _connect(settings.record_url) as record, _connect(settings.keys_url) as keys:
        while (taken := _taken(record, keys)).erasures_under_way and time.monotonic() < deadline:
            record.rollback()
            keys.rollback()
            time.sleep(_POLL_SECONDS)
        yield taken


def _connect(url: str) -> Connection:
    connection = psycopg.connect(url, connect_timeout=5, options="-c idle_in_transaction_session_timeout=0")
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
    return connection


def _taken(record: Connection, keys: Connection) -> Moment:
    known, _ = _row(keys, _ERASURES)
    keys.rollback()
    (of_record,) = _row(record, _EXPORT)
    (of_keys,) = _row(keys, _EXPORT)
    now_known, under_way = _row(keys, _ERASURES)
    # One that began and ended between the two looks counts too: the record's snapshot may have half of it.
    return Moment(record, keys, of_record, of_keys, under_way + now_known - known)


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - an aggregate, or a function
    return row
