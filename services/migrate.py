"""Brings the record, the keys and the bookkeeping of read models to the schema of this version."""

import time
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from services.record.errors import Refused
from services.settings import Settings

_FOLDER: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x7461_6D61_7300
FACTS_PER_PARTITION: Final = 1 << 24
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 2.0
_DAYS: Final = "SELECT generate_series(current_date - 1, current_date + 7, '1 day')::date"


def pending(url: str, part: str) -> list[str]:
    """Names of the migrations of this part (`record`, `keys`, `views`) that the database has not seen, in order."""
    with psycopg.connect(url, autocommit=True) as connection:
        return _pending(connection, part)


def migrate(settings: Settings) -> list[str]:
    """Run what is missing, each migration in its own transaction, one process at a time; returns their names.

    Raises:
        Refused: a transaction that lasts holds what a migration changes, or the database lacks what it needs.
    """
    done: list[str] = []
    for part, url in (("record", settings.record_url), ("keys", settings.keys_url), ("views", settings.views_url)):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            done += [_run(connection, part, name) for name in _pending(connection, part)]
            if part == "record":
                ensure_partitions(connection)
    return done


def _pending(connection: psycopg.Connection, part: str) -> list[str]:
    connection.execute("CREATE SCHEMA IF NOT EXISTS migration")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration.done (name text PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())"
    )
    seen = {name for (name,) in connection.execute("SELECT name FROM migration.done").fetchall()}
    return [name for name in known(part) if name not in seen]


def known(part: str) -> list[str]:
    """Names of the migrations of this part that this version has, in order."""
    return sorted(f"{part}/{path.stem}" for path in (_FOLDER / part).glob("*.sql"))


def _run(connection: psycopg.Connection, part: str, name: str) -> str:
    script = (_FOLDER / part / name.removeprefix(f"{part}/")).with_suffix(".sql").read_bytes()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_run(connection, name, script):
        if time.monotonic() > deadline:
            raise Refused(
                f"{name} did not get its turn: another transaction, of a backup maybe, holds the tables it changes "
                "(pg_stat_activity shows which). Nothing of it was done; run tamas migrate again when that has ended."
            )
        time.sleep(_PAUSE_SECONDS)
    return name


def _is_run(connection: psycopg.Connection, name: str, script: bytes) -> bool:
    try:
        with connection.transaction():
            # Whoever writes waits behind us while we wait for a long reader.
            connection.execute("SET LOCAL lock_timeout = '500ms'")
            connection.execute(script)
            connection.execute("INSERT INTO migration.done (name) VALUES (%s)", (name,))
    except psycopg.errors.LockNotAvailable:
        return False
    except psycopg.errors.RaiseException as error:
        raise Refused(f"{name} did not run: {error.diag.message_primary}.") from error
    return True


def ensure_partitions(connection: psycopg.Connection) -> None:
    """Make the partitions that the next facts and the next days will need, ahead of them; beside everything else."""
    row = connection.execute("SELECT last_value FROM record.position").fetchone()
    first = (row[0] if row else 1) // FACTS_PER_PARTITION
    for number in range(first, first + 3):
        low = number * FACTS_PER_PARTITION
        _ensure(connection, "facts", f"facts_{number}", (low, low + FACTS_PER_PARTITION))
    for (day,) in connection.execute(_DAYS).fetchall():
        _ensure(connection, "raw", f"raw_{day:%Y%m%d}", (day, day + timedelta(days=1)))


def _ensure(
    connection: psycopg.Connection, parent: str, name: str, limits: tuple[int, int] | tuple[date, date]
) -> None:
    if _is_there(connection, name):
        return
    table, whole = sql.Identifier("record", name), sql.Identifier("record", parent)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK + 1,))
        if _is_there(connection, name):
            return
        # CREATE TABLE … PARTITION OF would wait for every reader, such as pg_dump, and all writers behind it.
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(table, whole))
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(whole, table, *limits)
        )


def _is_there(connection: psycopg.Connection, name: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"record.{name}",)).fetchone()
    return row is not None and row[0]
