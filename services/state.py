"""How far an installation is, as its databases and its disk tell: for `tamas status` and for the alarms."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from psycopg.rows import class_row, dict_row

from services.produce import connection
from services.settings import Settings

_PATIENCE_SECONDS: Final = 3.0
_RECORD: Final = """
    SELECT record.head() AS head, c.position AS relay,
        extract(epoch FROM clock_timestamp() - c.moved_at)::float8 AS relay_age_seconds,
        greatest(0, extract(epoch FROM clock_timestamp() - record.behind_since(coalesce(c.position, 0))))::float8
            AS relay_lag_seconds,
        (SELECT count(*) FROM service.pending) AS pending,
        (SELECT extract(epoch FROM clock_timestamp() - received_at)::float8
            FROM service.pending JOIN record.raw USING (raw_id, day) ORDER BY raw_id LIMIT 1) AS pending_seconds,
        (SELECT extract(epoch FROM clock_timestamp() - min(parked_at))::float8
            FROM service.parked WHERE state = 'parked') AS parked_seconds
    FROM (SELECT %s AS prefix) AS ours LEFT JOIN service.relay_cursor AS c USING (prefix)"""
_PARKED: Final = """
    SELECT tenant, coalesce(inbox_id::text, '') AS inbox_id, stage, count(*) AS requests
    FROM service.parked WHERE state = 'parked' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
# Topic '' = a generation that is being filled.
_SETS: Final = """
    SELECT projection_set AS name, min(position) AS position, 0.0::float8 AS lag_seconds,
        (SELECT count(*) FROM views.parked AS p WHERE p.projection_set = s.projection_set) AS parked
    FROM views.positions AS s WHERE topic <> '' GROUP BY projection_set ORDER BY projection_set"""
_BEHIND: Final = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - record.behind_since(%s)), 0)::float8 AS seconds"
)


@dataclass(frozen=True, slots=True)
class Parked:
    """Requests of one inbox that wait for a person; `inbox_id` is empty where none is known."""

    tenant: str
    inbox_id: str
    stage: str
    requests: int


@dataclass(slots=True)
class Set:
    """One set of read models."""

    name: str
    position: int
    lag_seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class State:
    """One moment. None where nothing was published yet, or nothing waits."""

    head: int
    relay: int | None
    relay_age_seconds: float | None
    relay_lag_seconds: float | None
    pending: int
    pending_seconds: float | None
    parked: Sequence[Parked]
    parked_seconds: float | None
    sets: Sequence[Set]


def read(settings: Settings) -> State:
    """Ask both databases.

    Raises:
        psycopg.OperationalError: one is away.
    """
    # The readers before what they read, so that none ever seems to be ahead.
    sets = _sets(settings.views_url)
    with psycopg.connect(settings.record_url, autocommit=True, connect_timeout=5) as record:
        for one in sets:
            row = record.execute(_BEHIND, (one.position,)).fetchone()
            one.lag_seconds = 0.0 if row is None else max(0.0, row[0])
        with record.cursor(row_factory=class_row(Parked)) as cursor:
            parked = cursor.execute(_PARKED).fetchall()
        with record.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(_RECORD, (settings.topic_prefix,)).fetchone() or {}
    return State(**found, parked=parked, sets=sets)


def disk(data: Path) -> tuple[int, int]:
    """Bytes that are free where TAMAS_DATA is, and its size."""
    place = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    usage = shutil.disk_usage(place)
    return usage.free, usage.total


def is_reached(url: str) -> bool:
    """Whether a database answers."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


async def is_broker_reached(settings: Settings) -> bool:
    """Whether the broker answers."""
    admin = AIOKafkaAdminClient(**connection(settings), client_id="tamas-status", request_timeout_ms=3000)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await admin.start()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()
    return True


def _sets(url: str) -> list[Set]:
    with (
        psycopg.connect(url, autocommit=True, connect_timeout=5) as views,
        views.cursor(row_factory=class_row(Set)) as cursor,
    ):
        return cursor.execute(_SETS).fetchall()
