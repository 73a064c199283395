"""The one append for facts: `seen` tells the new ones, then raw, the lock, the facts and the commit in one pipeline."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, generators, sql
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from services.database import patient
from services.record import arrays
from services.record.identity import PLACE, NotAdopted, compare
from services.record.lock import TAKE_LOCK, TIMEOUTS
from services.record.raw import RawRow

_PREPARE: Final = (
    """PREPARE seen (text[], uuid[], smallint[], uuid[]) AS
    INSERT INTO record.seen (tenant, event_id, revision, raw_id)
    SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING event_id, revision""",
    """PREPARE raw (uuid[], date[], text[], uuid[], timestamptz[], text[], bytea[]) AS
    INSERT INTO record.raw (raw_id, day, tenant, inbox_id, received_at, state, sealed)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)""",
    """PREPARE pending (uuid[], date[], text[], uuid[]) AS
    INSERT INTO service.pending (raw_id, day, tenant, inbox_id) SELECT * FROM unnest($1, $2, $3, $4)""",
    """PREPARE parked (uuid[], text[], uuid[], uuid[], date[], text[], text[]) AS
    INSERT INTO service.parked (parked_id, tenant, inbox_id, raw_id, day, stage, reason, parked_at)
    SELECT rows.*, clock_timestamp() FROM unnest($1, $2, $3, $4, $5, $6, $7) AS rows""",
    """PREPARE facts (uuid[], smallint[], text[], text[], text[], smallint[], uuid[], uuid[], uuid[], timestamptz[],
        uuid[], text[], bytea[], bytea[]) AS
    INSERT INTO record.facts (position, recorded_at, event_id, revision, tenant, topic, type, version, subject,
        inbox_id, raw_id, occurred_at, correlation_id, traceparent, data, personal)
    SELECT nextval('record.position'), now.tick, facts.*
    FROM (SELECT record.tick() AS tick) AS now,
        unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS facts""",
    """PREPARE command (text, uuid) AS
    INSERT INTO record.commands (tenant, command_id, position) VALUES ($1, $2, currval('record.position'))
    RETURNING position""",
    "PREPARE done (uuid[]) AS DELETE FROM service.pending WHERE raw_id = ANY($1)",
)
_PATIENCE_SECONDS: Final = 5.0
"""More than a writer waits for the lock."""
_Command = tuple[bytes, Sequence[bytes] | None]
"""A prepared statement with its arrays, or a statement as it is written, with None."""


class FactRow(NamedTuple):
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
    traceparent: str | None = None


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
        rows = sorted(keys, key=_by_event_id)
        seen = (
            arrays.texts(row[2] for row in rows),
            arrays.uuids(row[0] for row in rows),
            arrays.smalls(row[1] for row in rows),
            arrays.uuids(row[3] for row in rows),
        )
        _, found = await self._trip((b"BEGIN", None), (b"seen", seen))
        if found.ntuples == len(rows):
            return {(row[0], row[1]) for row in rows}
        # By their bytes: making ids of what came back takes three times as long as all the rest of this.
        keys_by_bytes = {row[0].bytes + row[1].to_bytes(2, signed=True): (row[0], row[1]) for row in rows}
        return {keys_by_bytes[_key(found, number)] for number in range(found.ntuples)}

    async def commit(
        self,
        facts: Sequence[FactRow],
        raws: Sequence[RawRow] = (),
        *,
        parked: Sequence[Parked] = (),
        done: Sequence[UUID] = (),
        command: tuple[str, UUID] | None = None,
    ) -> int | None:
        """Raw first, then the lock, the facts in this order, and the commit, all in one trip.

        `done` are pending requests that these facts answer. `command` is whose (tenant, command_id) they carry out; it
        is noted with the position of the last, which is returned; None without a command.
        """
        commands: list[_Command] = []
        if raws:
            commands.append((b"raw", _raw_arrays(raws)))
        waiting = [raw for raw in raws if raw.state == "pending"]
        if waiting:
            commands.append((b"pending", _raw_arrays(waiting)[:4]))
        if parked:
            commands.append((b"parked", _parked_arrays(parked)))
        if done:
            commands.append((b"done", (arrays.uuids(done),)))
        if facts:
            commands += ((TAKE_LOCK.encode(), None), (b"facts", _fact_arrays(facts)))
        if command is not None:
            commands.append((b"command", (command[0].encode(), command[1].bytes)))
        results = await self._trip(*commands, (b"COMMIT", None))
        return None if command is None else int.from_bytes(results[-2].get_value(0, 0) or b"")

    async def rollback(self) -> None:
        """End a transaction that has nothing to commit."""
        await self._trip((b"ROLLBACK", None))

    async def renew(self) -> None:
        """Another connection after an error, in no doubtful state."""
        await self.close()
        self._connection = await _connected(self._url, self._role)

    async def close(self) -> None:
        """Close the connection, whatever its state."""
        with contextlib.suppress(psycopg.Error):
            await self._connection.close()

    async def _trip(self, *commands: _Command) -> list[PGresult]:
        """Send all in one write and wait for all results. Cursors in a pipeline would take a write for each."""
        pgconn = self._connection.pgconn
        pgconn.enter_pipeline_mode()
        for statement, values in commands:
            if values is None:
                pgconn.send_query_params(statement, None)
            else:
                pgconn.send_query_prepared(statement, values, [Format.BINARY] * len(values), Format.BINARY)
        pgconn.pipeline_sync()
        results = await self._connection.wait(_results(pgconn, len(commands)))
        pgconn.exit_pipeline_mode()
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result)
        return results


def _results(pgconn: PGconn, commands: int) -> PQGen[list[PGresult]]:
    yield from generators.send(pgconn)
    results: list[PGresult] = []
    for _ in range(commands):
        results += yield from generators.fetch_many(pgconn)
    # The sync's own.
    yield from generators.fetch_many(pgconn)
    return results


def _key(found: PGresult, number: int) -> bytes:
    return (found.get_value(number, 0) or b"") + (found.get_value(number, 1) or b"")


async def _connected(url: str, role: str) -> AsyncConnection:
    connection = await patient(_PATIENCE_SECONDS).connect(
        url, autocommit=True, options=TIMEOUTS, application_name="tamas-writer", connect_timeout=3
    )
    try:
        # Where the record is can change while a process runs: a failover looks like any lost connection.
        compare(await (await connection.execute(PLACE)).fetchone())
    except NotAdopted:
        await connection.close()
        raise
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    for statement in _PREPARE:
        await connection.execute(statement)
    return connection


def _by_event_id(key: tuple[UUID, int, str, UUID]) -> tuple[int, int, str]:
    # Comparing UUIDs themselves takes ten times as long.
    return key[0].int, key[1], key[2]


def _raw_arrays(raws: Sequence[RawRow]) -> tuple[bytes, ...]:
    return (
        arrays.uuids(row.raw_id for row in raws),
        arrays.dates(row.day.toordinal() for row in raws),
        arrays.texts(row.tenant for row in raws),
        arrays.uuids(row.inbox_id for row in raws),
        arrays.times(row.received_at for row in raws),
        arrays.texts(row.state for row in raws),
        arrays.blobs(row.sealed for row in raws),
    )


def _parked_arrays(parked: Sequence[Parked]) -> tuple[bytes, ...]:
    return (
        arrays.uuids(row.parked_id for row in parked),
        arrays.texts(row.raw.tenant for row in parked),
        arrays.uuids(row.raw.inbox_id for row in parked),
        arrays.uuids(row.raw.raw_id for row in parked),
        arrays.dates(row.raw.day.toordinal() for row in parked),
        arrays.texts(row.stage for row in parked),
        arrays.texts(row.reason for row in parked),
    )


def _fact_arrays(facts: Sequence[FactRow]) -> tuple[bytes, ...]:
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
        arrays.texts(row.traceparent for row in facts),
        arrays.blobs(row.data for row in facts),
        arrays.blobs(row.personal for row in facts),
    )
