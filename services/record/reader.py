"""Reads the record by position: facts and decisions as one sequence, their personal parts opened again."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, cast
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.event import Event, read_fact
from schemas.fact import join
from schemas.topics import Topic
from services.keys.ring import Ring, Subject
from services.keys.vault import Unsealable, event_context, unseal

MOST_BYTES: Final = 4 * 1024 * 1024
_CHUNK: Final = 100
# The columns of both tables in the order of `Row`, then the sealed part, whose key it is, and the bytes so far. Each
# branch stops at the limit along its own index: a sort over the union would read everything that is left.
_READ: Final = """
    SELECT * FROM (
        SELECT sequence.*,
            sum(octet_length(data) + coalesce(octet_length(personal), 0)) OVER (ORDER BY position) AS bytes
        FROM (
            (SELECT position, event_id, revision, tenant, topic, type, version, subject, inbox_id, raw_id, occurred_at,
                recorded_at, correlation_id, causation_id, traceparent, data, personal, subject AS sealed_under
            FROM record.facts
            WHERE position > %(after)s AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[]))
                AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)
            ORDER BY position LIMIT %(limit)s)
            UNION ALL
            (SELECT position, event_id, 1::smallint, tenant, topic, type, version, originator_id, NULL::uuid,
                NULL::uuid, recorded_at, recorded_at, correlation_id, causation_id, NULL::text, state, personal,
                sealed_under
            FROM record.decisions
            WHERE position > %(after)s AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[]))
                AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)
            ORDER BY position LIMIT %(limit)s)
            ORDER BY position LIMIT %(limit)s
        ) AS sequence
    ) AS page
    WHERE bytes <= %(bytes)s OR bytes = octet_length(data) + coalesce(octet_length(personal), 0)
    ORDER BY position"""
_FACT: Final = """
    SELECT position, event_id, revision, tenant, topic, type, version, subject, inbox_id, raw_id, occurred_at,
        recorded_at, correlation_id, causation_id, traceparent, data, personal, subject
    FROM record.facts"""
_DECISION: Final = """
    SELECT position, event_id, 1::smallint, tenant, topic, type, version, originator_id, NULL::uuid, NULL::uuid,
        recorded_at, recorded_at, correlation_id, causation_id, NULL::text, state, personal, sealed_under
    FROM record.decisions"""
_AT: Final = f"""
    {_FACT} WHERE position = ANY(%(positions)s) UNION ALL {_DECISION} WHERE position = ANY(%(positions)s)
    ORDER BY position"""
_STREAMS: Final = f"{_DECISION} WHERE originator_id = ANY(%s) ORDER BY position"
_HEAD: Final = """
    SELECT greatest((SELECT max(position) FROM record.facts), (SELECT max(position) FROM record.decisions), 0)"""
_NEXT: Final = """
    SELECT position, recorded_at FROM (
        SELECT position, recorded_at FROM record.facts WHERE position >= %(position)s
        UNION ALL SELECT position, recorded_at FROM record.decisions WHERE position >= %(position)s
    ) AS sequence ORDER BY position LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as published. `payload` is clear JSON with the personal part in it, without it once `erased`."""

    position: int
    event_id: UUID
    revision: int
    tenant: str
    topic: str
    type: str
    version: int
    subject: UUID
    inbox_id: UUID | None
    raw_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID | None
    causation_id: UUID | None
    traceparent: str | None
    payload: bytes
    erased: bool


class Reader:
    """Tails, replays and seeks. Reads with the rights of its pool's role."""

    def __init__(self, pool: AsyncConnectionPool, ring: Ring) -> None:
        """`pool` is to RECORD_URL, in autocommit."""
        self._pool: Final = pool
        self._ring: Final = ring

    async def read(
        self,
        after: int,
        limit: int,
        *,
        topics: Collection[str] | None = None,
        tenant: str | None = None,
        opens: Callable[[bytes], bool] | None = None,
        on: AsyncConnection | None = None,
    ) -> list[Row]:
        """At most `limit` rows (and 4 MB, but never nothing) above this position, in order; [] at the end.

        Positions have holes. A row whose key is destroyed comes without its personal part; so does one whose clear
        part `opens` says no to, which costs a reader nothing that needs no person's words. `on` is a connection of the
        same pool that the caller holds already.

        Raises:
            Unsealable: a living key does not open its value: it was changed, or moved from another row.
            psycopg.OperationalError: PostgreSQL is away.
        """
        arguments = {
            "after": after,
            "limit": limit,
            "topics": None if topics is None else list(topics),
            "tenant": tenant,
            "bytes": MOST_BYTES,
        }
        async with self._lent(on) as connection:
            cursor = await connection.execute(_READ, arguments, binary=True)
            rows: list[Row] = []
            # A chunk at a time: making Python values of a whole page would hold the loop for 20 ms.
            while chunk := await cursor.fetchmany(_CHUNK):
                rows += await self._opened(chunk if opens is None else _closed(chunk, opens))
                await asyncio.sleep(0)
        return rows

    async def rows_at(self, positions: Collection[int]) -> list[Row]:
        """What is at these positions, in order; none for a hole. Raises as `read`."""
        return await self._rows(_AT, {"positions": list(positions)})

    async def streams(self, stream_ids: Collection[UUID], *, on: AsyncConnection | None = None) -> list[Row]:
        """All that was decided in these streams, in the record's order. `on` and errors as of `read`."""
        return await self._rows(_STREAMS, (list(stream_ids),), on)

    async def _rows(
        self,
        query: LiteralString,
        arguments: Sequence[object] | Mapping[str, object],
        on: AsyncConnection | None = None,
    ) -> list[Row]:
        async with self._lent(on) as connection:
            cursor = await connection.execute(query, arguments, binary=True)
            return await self._opened(await cursor.fetchall())

    def _lent(self, on: AsyncConnection | None) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        return self._pool.connection() if on is None else contextlib.nullcontext(on)

    async def head(self) -> int:
        """The highest committed position; 0 in an empty record."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_HEAD)).fetchone()
        return cast("int", row[0]) if row is not None else 0

    async def position_at(self, time: datetime) -> int:
        """The last position recorded at or before this (aware) time; 0 when there is none.

        `recorded_at` never goes back as positions grow, so this halves its way through some 40 look-ups.
        """
        low, high = 0, await self.head()
        async with self._pool.connection() as connection:
            while low < high:
                middle = (low + high) // 2 + 1
                found = await (await connection.execute(_NEXT, {"position": middle})).fetchone()
                if found is not None and found[1] <= time:
                    low = found[0]
                else:
                    high = middle - 1
        return low

    async def _opened(self, rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        for row in rows:
            if row[5] == "address.erased":
                self._ring.drop(row[3], None, row[7])
        subjects = await self._ring.by_ids({row[17] for row in rows if row[16] is not None})
        return [_row(row, subjects) for row in rows]


def _closed(rows: Sequence[tuple[Any, ...]], opens: Callable[[bytes], bool]) -> list[tuple[Any, ...]]:
    return [row if row[16] is None or opens(row[15]) else (*row[:16], None, row[17]) for row in rows]


def _row(row: tuple[Any, ...], subjects: dict[UUID, Subject | None]) -> Row:
    personal = row[16]
    if personal is None:
        return Row(*row[:15], payload=row[15], erased=False)
    subject = subjects[row[17]]
    if subject is None:
        return Row(*row[:15], payload=row[15], erased=True)
    try:
        opened = unseal(subject.cipher, personal, event_context(row[1].bytes, row[2]))
    except Unsealable as error:
        raise Unsealable(f"the personal part at position {row[0]} is not what was sealed there") from error
    return Row(*row[:15], payload=join(row[15], opened), erased=False)


def event_of(row: Row) -> Event:
    """The row with its fact read.

    Raises:
        Undecodable: as `schemas.event.read_fact`.
    """
    return Event(
        position=row.position,
        event_id=row.event_id,
        revision=row.revision,
        tenant=row.tenant,
        topic=cast("Topic", row.topic),
        subject=row.subject,
        inbox_id=row.inbox_id,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        fact=read_fact(row.payload),
    )
