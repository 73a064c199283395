"""The one append for facts: `seen` tells the new ones, then raw, the lock, the facts and the commit in one pipeline."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql

from services.record import arrays
from services.record.identity import PLACE, NotAdopted, compare
from services.record.lock import TAKE_LOCK, TIMEOUTS
from services.record.raw import RawRow

_SEEN: Final = """
    INSERT INTO record.seen (tenant, event_id, revision, raw_id)
    SELECT * FROM unnest(%b::text[], %b::uuid[], %b::smallint[], %b::uuid[]) ON CONFLICT DO NOTHING
    RETURNING event_id, revision"""
_RAW: Final = """
    INSERT INTO record.raw (raw_id, day, tenant, inbox_id, received_at, state, sealed)
    SELECT * FROM unnest(%b::uuid[], %b::date[], %b::text[], %b::uuid[], %b::timestamptz[], %b::text[], %b::bytea[])"""
_PENDING: Final = """
    INSERT INTO service.pending (raw_id, day, tenant, inbox_id)
    SELECT * FROM unnest(%b::uuid[], %b::date[], %b::text[], %b::uuid[])"""
_FACTS: Final = """
    INSERT INTO record.facts (position, recorded_at, event_id, revision, tenant, topic, type, version, subject,
        inbox_id, raw_id, occurred_at, correlation_id, data, personal)
    SELECT nextval('record.position'), now.tick, facts.*
    FROM (SELECT record.tick() AS tick) AS now, unnest(%b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::text[],
        %b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::timestamptz[], %b::uuid[], %b::bytea[], %b::bytea[])
        AS facts"""
_PARKED: Final = """
    INSERT INTO service.parked (parked_id, tenant, inbox_id, raw_id, day, stage, reason, parked_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())"""


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact ready for the record: `data` clear, `personal` sealed under the key of `subject`."""

    event_id: UUID
    tenant: str
    topic: str
    type: str
    version: int
    subject: UUID
    inbox_id: UUID | None
    raw_id: UUID | None
    occurred_at: datetime
    data: bytes
    personal: bytes | None
    revision: int = 1
    correlation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """Why a request was set aside, in a sentence without personal data."""

    raw: RawRow
    parked_id: UUID
    stage: str
    reason: str


class Appender:
    """One writer connection to the record. Calls follow each other: `new_of`, then `commit` or `rollback`."""

    def __init__(self, connection: AsyncConnection, url: str, role: str) -> None:
        """Use `Appender.open`."""
        self._connection = connection
        self._url: Final = url
        self._role: Final = role

    @classmethod
    async def open(cls, url: str, role: str = "tamas_ingress") -> "Appender":
        """Connect with the timeouts of a writer and take the role of ingress."""
        return cls(await _connected(url, role), url, role)

    async def new_of(self, keys: Collection[tuple[UUID, int, str, UUID]]) -> set[tuple[UUID, int]]:
        """Begin, and mark these (event_id, revision, tenant, raw_id) as seen; returns those that were not.

        Sorted by event id: two groups with overlapping redeliveries would otherwise deadlock.
        """
        rows = sorted(keys)
        async with self._connection.pipeline():
            await self._connection.execute("BEGIN")
            cursor = await self._connection.execute(
                _SEEN,
                (
                    arrays.texts(row[2] for row in rows),
                    arrays.uuids(row[0] for row in rows),
                    arrays.smalls(row[1] for row in rows),
                    arrays.uuids(row[3] for row in rows),
                ),
                binary=True,
            )
        return {(event_id, revision) for event_id, revision in await cursor.fetchall()}

    async def commit(
        self,
        facts: Sequence[FactRow],
        raws: Sequence[RawRow] = (),
        *,
        parked: Sequence[Parked] = (),
        done: Sequence[UUID] = (),
    ) -> None:
        """Raw first, then the lock, the facts in this order, and the commit, all in one trip.

        `done` are pending requests that these facts answer.
        """
        connection = self._connection
        async with connection.pipeline():
            if raws:
                await connection.execute(_RAW, _raw_arrays(raws))
            waiting = [raw for raw in raws if raw.state == "pending"]
            if waiting:
                await connection.execute(_PENDING, _raw_arrays(waiting)[:4])
            for row in parked:
                await connection.execute(
                    _PARKED,
                    (
                        row.parked_id,
                        row.raw.tenant,
                        row.raw.inbox_id,
                        row.raw.raw_id,
                        row.raw.day,
                        row.stage,
                        row.reason,
                    ),
                )
            if done:
                await connection.execute("DELETE FROM service.pending WHERE raw_id = ANY(%b)", (arrays.uuids(done),))
            if facts:
                await connection.execute(TAKE_LOCK)
                await connection.execute(_FACTS, _fact_arrays(facts))
            await connection.execute("COMMIT")

    async def rollback(self) -> None:
        """End a transaction that has nothing to commit."""
        await self._connection.execute("ROLLBACK")

    async def renew(self) -> None:
        """Another connection after an error: psycopg believes statements prepared that the failed pipeline undid."""
        await self.close()
        self._connection = await _connected(self._url, self._role)

    async def close(self) -> None:
        """Close the connection, whatever its state."""
        with contextlib.suppress(psycopg.Error):
            await self._connection.close()


async def _connected(url: str, role: str) -> AsyncConnection:
    connection = await AsyncConnection.connect(
        url, autocommit=True, options=TIMEOUTS, application_name="tamas-writer", connect_timeout=3
    )
    try:
        # Where the record is can change while a process runs: a failover looks like any lost connection.
        compare(await (await connection.execute(PLACE)).fetchone())
    except NotAdopted:
        await connection.close()
        raise
    arrays.register(connection)
    connection.prepare_threshold = 1
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    return connection


def _raw_arrays(raws: Sequence[RawRow]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuids(row.raw_id for row in raws),
        arrays.dates(row.day.toordinal() for row in raws),
        arrays.texts(row.tenant for row in raws),
        arrays.uuids(row.inbox_id for row in raws),
        arrays.times(row.received_at for row in raws),
        arrays.texts(row.state for row in raws),
        arrays.blobs(row.sealed for row in raws),
    )


def _fact_arrays(facts: Sequence[FactRow]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuids(row.event_id for row in facts),
        arrays.smalls(row.revision for row in facts),
        arrays.texts(row.tenant for row in facts),
        arrays.texts(row.topic for row in facts),
        arrays.texts(row.type for row in facts),
        arrays.smalls(row.version for row in facts),
        arrays.uuids(row.subject for row in facts),
        arrays.uuids(row.inbox_id for row in facts),
        arrays.uuids(row.raw_id for row in facts),
        arrays.times(row.occurred_at for row in facts),
        arrays.uuids(row.correlation_id for row in facts),
        arrays.blobs(row.data for row in facts),
        arrays.blobs(row.personal for row in facts),
    )
