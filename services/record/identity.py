"""Where the record lives: a restore or a failover may have lost its tail, so numbers could be given out twice.

Until somebody has adopted the record in its new place, nothing runs on it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection

from services.migrate import ensure_partitions
from services.pause import pause
from services.record.lock import TAKE_LOCK
from services.settings import Misconfigured

EPOCH_POSITIONS: Final = 1 << 40
"""How far apart the numbers of two lives of the record begin."""
_WATCH_SECONDS: Final = 1.0
# The timeline of what is written now: pg_control_checkpoint() still tells the old one until the first checkpoint after
# a failover, which may be minutes.
PLACE: Final = """
    SELECT here.system_identifier, here.timeline, noted.system_identifier, noted.timeline
    FROM (SELECT (pg_control_system()).system_identifier::text, CASE WHEN pg_is_in_recovery() THEN 0
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer END AS timeline) AS here
    LEFT JOIN record.identity AS noted ON true"""
_KNOWN: Final = """
    SELECT greatest((SELECT last_value FROM record.position), (SELECT max(position) FROM record.facts),
        (SELECT max(position) FROM record.decisions), (SELECT max(position) FROM service.relay_partitions),
        (SELECT max(position) FROM record.commands), (SELECT max(first_position) FROM record.identity))"""
_CLOCK: Final = """
    SELECT setval('record.clock', greatest((SELECT last_value FROM record.clock), (extract(epoch FROM greatest(
        clock_timestamp(), (SELECT max(recorded_at) FROM record.facts), (SELECT max(recorded_at) FROM record.decisions)
    )) * 1000000)::bigint + 1))"""
_NOTE: Final = """
    INSERT INTO record.identity (system_identifier, timeline, adopted_at, first_position)
    VALUES (%s, %s, clock_timestamp(), %s)
    ON CONFLICT (only_row) DO UPDATE SET system_identifier = excluded.system_identifier,
        timeline = excluded.timeline, adopted_at = excluded.adopted_at, first_position = excluded.first_position
    RETURNING adopted_at"""


_log: Final = structlog.get_logger()


class NotAdopted(Misconfigured, psycopg.OperationalError):
    """The record is not where it was when it was written last: run `tamas record adopt` once.

    Writers meet it when they connect, and answer as they do while PostgreSQL is away: nothing is lost.
    """


@dataclass(frozen=True, slots=True)
class Adopted:
    """The record's new life: its facts begin at `first_position`."""

    system_identifier: str
    timeline: int
    first_position: int
    adopted_at: datetime


def compare(place: tuple[Any, ...] | None) -> None:
    """Pass if a row of `PLACE` says that the record is where it was. Raises `NotAdopted`."""
    if place is None:
        raise NotAdopted("PostgreSQL does not tell which server it is")
    system_identifier, timeline, noted_identifier, noted_timeline = place
    if timeline == 0:
        raise NotAdopted("PostgreSQL at RECORD_URL is a standby, which takes no writes: name the primary in RECORD_URL")
    if (system_identifier, timeline) == (noted_identifier, noted_timeline):
        return
    how = (
        "it is not noted which server this record was written on"
        if noted_identifier is None
        else f"this record was written on the server {noted_identifier}, timeline {noted_timeline}, "
        f"and is now on {system_identifier}, timeline {timeline}: it was restored or failed over, and its last events "
        "may be missing"
    )
    raise NotAdopted(f"{how}. Stop everything that uses it, then run `tamas record adopt` once")


def check(url: str) -> None:
    """Pass if the record at RECORD_URL is where it was.

    Raises:
        NotAdopted: it is elsewhere, or on a standby.
        psycopg.OperationalError: PostgreSQL is away.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        compare(connection.execute(PLACE).fetchone())


async def check_if_reached(url: str) -> None:
    """As `check`, for processes that start without PostgreSQL too: then `watch`, and each writer, will see.

    Raises:
        NotAdopted: it is elsewhere, or on a standby.
    """
    try:
        await asyncio.to_thread(check, url)
    except NotAdopted:
        raise
    except psycopg.OperationalError as error:
        _log.warning("the record is away", error=type(error).__name__)


async def watch(url: str, stop: asyncio.Event) -> None:
    """Look again and again, until `stop`: a failover changes the server under running processes.

    While PostgreSQL is away it waits. Raises `NotAdopted`.
    """
    while not stop.is_set():
        try:
            async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
                while not stop.is_set():
                    compare(await (await connection.execute(PLACE)).fetchone())
                    await pause(stop, _WATCH_SECONDS)
        except NotAdopted:
            raise
        except psycopg.OperationalError:
            await pause(stop, _WATCH_SECONDS)


def adopt(url: str, *, above: int = 0, anyway: bool = False) -> Adopted | None:
    """Let the record live on here: its numbers go on from the next multiple of 2^40. None when it never moved.

    `above`: a position that somebody else has seen. `anyway`: also where nothing shows that it moved, as after a disk
    was put back to an older state. Nothing else may write meanwhile.

    Raises:
        NotAdopted: the server is a standby.
        psycopg.OperationalError: PostgreSQL is away.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection, connection.transaction():
        connection.execute(TAKE_LOCK)
        place = connection.execute(PLACE).fetchone()
        if not anyway and not _moved(place):
            return None
        assert place is not None  # noqa: S101 - _moved has looked at it
        known = connection.execute(_KNOWN).fetchone()
        first = (max(above, known[0] if known else 0) // EPOCH_POSITIONS + 1) * EPOCH_POSITIONS
        connection.execute("SELECT setval('record.position', %s, false)", (first,))
        connection.execute(_CLOCK)
        ensure_partitions(connection)
        noted = connection.execute(_NOTE, (place[0], place[1], first)).fetchone()
    assert noted is not None  # noqa: S101 - RETURNING of a row that was written
    return Adopted(place[0], place[1], first, noted[0])


def _moved(place: tuple[Any, ...] | None) -> bool:
    try:
        compare(place)
    except NotAdopted:
        if place is None or place[1] == 0:
            raise
        return True
    return False
