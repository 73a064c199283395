"""Brings the record, the keys and the bookkeeping of read models to the schema of this version."""

from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from services.settings import Settings

_FOLDER: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x7461_6D61_7300
FACTS_PER_PARTITION: Final = 1 << 24


def pending(url: str, part: str) -> list[str]:
    """Names of the migrations of this part (`record`, `keys`, `views`) that the database has not seen, in order."""
    with psycopg.connect(url, autocommit=True) as connection:
        return _pending(connection, part)


def migrate(settings: Settings) -> list[str]:
    """Run what is missing, each migration in its own transaction, one process at a time; returns their names."""
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
    names = sorted(f"{part}/{path.stem}" for path in (_FOLDER / part).glob("*.sql"))
    return [name for name in names if name not in seen]


def _run(connection: psycopg.Connection, part: str, name: str) -> str:
    path = (_FOLDER / part / name.removeprefix(f"{part}/")).with_suffix(".sql")
    with connection.transaction():
        connection.execute(path.read_bytes())
        connection.execute("INSERT INTO migration.done (name) VALUES (%s)", (name,))
    return name


def ensure_partitions(connection: psycopg.Connection) -> None:
    """Make the partitions that the next facts and the next days will need, ahead of them."""
    row = connection.execute("SELECT last_value FROM record.position").fetchone()
    first = (row[0] if row else 1) // FACTS_PER_PARTITION
    for number in range(first, first + 3):
        low = number * FACTS_PER_PARTITION
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS record.{} PARTITION OF record.facts FOR VALUES FROM ({}) TO ({})"
            ).format(sql.Identifier(f"facts_{number}"), low, low + FACTS_PER_PARTITION)
        )
    connection.execute(
        """DO $$ DECLARE day date; BEGIN
            FOR day IN SELECT generate_series(current_date - 1, current_date + 7, '1 day')::date LOOP
                EXECUTE format('CREATE TABLE IF NOT EXISTS record.%I PARTITION OF record.raw '
                    'FOR VALUES FROM (%L) TO (%L)', 'raw_' || to_char(day, 'YYYYMMDD'), day, day + 1);
            END LOOP; END $$"""
    )
