"""What an interaction costs on disk, by where it lies."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psycopg

from services.settings import Settings
from tests.bench.figures import Figure, single

_SCHEMAS = """
    SELECT n.nspname, sum(pg_total_relation_size(c.oid))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema)' GROUP BY n.nspname"""
_ESTIMATED = {"record": 2500, "views": 700, "keys": 150, "blobs": 550, "kafka": 320}
"""Bytes for each interaction of this mix, as it was measured."""
_FIXED_BYTES = 2 << 30
"""PostgreSQL's log before a checkpoint, and what the servers make at their start."""


def room_for(interactions: int, folder: Path) -> tuple[int, int]:
    """Bytes that a run takes, its rebuild beside the read model included, and bytes that are free."""
    each = sum(_ESTIMATED.values()) + _ESTIMATED["views"]
    return each * interactions + _FIXED_BYTES, shutil.disk_usage(folder).free


def disk(settings: Settings, interactions: int) -> list[Figure]:
    """Bytes for each interaction; PostgreSQL's own log, which it uses again, as a whole."""
    data = settings.data
    found: dict[str, int] = {"record": 0, "views": 0, "keys": 0}
    for schema, size in _sizes(settings).items():
        found[{"record": "record", "service": "record", "keys": "keys"}.get(schema, "views")] += size
    found["blobs"] = _taken(data / "blobs")
    found["kafka"] = _taken(data / "kafka" / "log")
    names = {"record": "record and its service tables", "views": "read models", "kafka": "Kafka's log"}
    each = [single(f"disk: {names.get(name, name)}", [size / interactions], "B each") for name, size in found.items()]
    total = single("disk: all of these", [sum(found.values()) / interactions], "B each")
    log = single("disk: PostgreSQL's own log", [_taken(data / "postgres" / "cluster" / "pg_wal") / 1e6], "MB")
    return [*each, total, log]


def _sizes(settings: Settings) -> Mapping[str, int]:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        return {name: int(size) for name, size in connection.execute(_SCHEMAS).fetchall()}


def _taken(folder: Path) -> int:
    """Blocks on disk, folders too: files of a broker are made longer than what is in them."""
    found = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            found += path.lstat().st_blocks * 512
    return found
