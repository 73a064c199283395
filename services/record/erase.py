"""Erasing an address: its key is destroyed, what holds only that person is removed, the numbers stay.

Every step may be repeated: an erasure that a crash cut short is finished by asking for it again.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from psycopg_pool import AsyncConnectionPool

from schemas.customer import AddressErased
from schemas.topics import TOPIC_OF
from services.blobs import BlobStore
from services.keys import erasures
from services.keys.erasures import Hidden
from services.keys.ring import Ring
from services.record.append import Appender, FactRow
from services.record.errors import Refused
from services.record.holders import Holders
from services.record.last_day import LastDay, last_on_kafka
from services.record.raw import new_raw_id
from services.settings import Settings
from services.spool import shelf

RAW_DAYS: Final = 90
"""So long the key of a day of raw requests is kept."""
_DRAIN_SECONDS: Final = 15.0
_DRAIN_POLL_SECONDS: Final = 0.05
_COUNTS: Final = """
    SELECT (recorded_at AT TIME ZONE 'UTC')::date, type, count(*) FROM (
        SELECT recorded_at, type FROM record.facts WHERE tenant = %(tenant)s AND subject = %(subject)s
        UNION ALL
        SELECT recorded_at, type FROM record.decisions WHERE tenant = %(tenant)s AND sealed_under = %(subject)s
    ) AS theirs GROUP BY 1, 2 ORDER BY 1, 2"""
_POSITION: Final = "SELECT position FROM record.facts WHERE tenant = %s AND subject = %s AND type = 'address.erased'"
_REMOVE: Final = """
    WITH gone AS (DELETE FROM record.raw WHERE tenant = %(tenant)s AND raw_id = ANY(%(raws)s) RETURNING raw_id),
    waiting AS (DELETE FROM service.pending WHERE raw_id = ANY(%(raws)s)),
    aside AS (DELETE FROM service.parked WHERE tenant = %(tenant)s AND raw_id = ANY(%(raws)s) RETURNING raw_id),
    theirs AS MATERIALIZED (SELECT coalesce(array_agg(event_id), '{}') AS ids FROM record.facts
        WHERE tenant = %(tenant)s AND subject = %(subject)s),
    notes AS (DELETE FROM service.requests WHERE tenant = %(tenant)s AND (request_id = ANY(%(raws)s)
        OR raw_id = ANY(%(raws)s) OR event_ids && (SELECT ids FROM theirs)) RETURNING request_id)
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM aside), (SELECT count(*) FROM notes)"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an erasure did. `stays`: (day in UTC, kind of fact, how many). `held_by_others`: raw id and its last day.

    `last_on_kafka` is the last day on which topics may hold what was published.
    """

    tenant: str
    address_id: UUID
    epoch: int
    erased_at: datetime
    position: int
    destroyed: Mapping[str, int]
    stays: Sequence[tuple[date, str, int]]
    held_by_others: Mapping[UUID, date]
    last_on_kafka: LastDay


async def erase(
    settings: Settings,
    record: AsyncConnectionPool,
    keys: AsyncConnectionPool,
    ring: Ring,
    *,
    tenant: str,
    address: str,
    settled_seconds: float = erasures.SETTLED_SECONDS,
) -> Certificate:
    """Destroy what is known of an address (`tel:+98…`, `mailto:…`); read models follow when they read the fact of it.

    `record` and `keys` are pools of the owner. It takes some seconds, in which other processes hear of it.

    Raises:
        Refused: nothing is kept under this address, or requests wait in the spool of this machine, or those of this
            address for a parser that does not run.
        psycopg.OperationalError: PostgreSQL is away; ask for it again.
    """
    holders = Holders(record, ring, tenant, address)
    await _unspooled(settings)
    await _drained(holders)
    hidden = await erasures.hide(keys, ring, tenant, address)
    if hidden is None:
        raise Refused("Nothing is kept under this address.")
    await asyncio.sleep(settled_seconds)
    await erasures.destroy(keys, hidden)
    alone, shared = await holders.split(hidden.address_id, keys)
    blobs = await BlobStore(settings.blob_url).erase(tenant, hidden.address_id)
    requests, parked, notes = await _remove(record, hidden, alone)
    position = await tell(settings, record, hidden)
    await erasures.finish(keys, hidden)
    return Certificate(
        tenant=tenant,
        address_id=hidden.address_id,
        epoch=hidden.epoch,
        erased_at=hidden.erased_at,
        position=position,
        destroyed={"keys": 1, "raw_requests": requests, "blobs": blobs, "parked": parked, "notes_on_requests": notes},
        stays=await _counts(record, hidden),
        held_by_others={raw_id: day + timedelta(days=RAW_DAYS) for raw_id, day in shared.items()},
        last_on_kafka=await last_on_kafka(settings, datetime.now(UTC)),
    )


async def _unspooled(settings: Settings) -> None:
    """What is in the spool would come to the record after the erasure, as if it were new: it comes first."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while waiting := await asyncio.to_thread(shelf.waiting, settings.spool):
        if time.monotonic() > deadline:
            raise Refused(
                f"{waiting} requests wait in the spool {settings.spool}: start an edge that brings them to the record "
                "(tamas up, or tamas run ingress), then ask again. Nothing was erased."
            )
        await asyncio.sleep(_DRAIN_POLL_SECONDS)


async def _drained(holders: Holders) -> None:
    """What was taken raw before now becomes facts first: whose it is shows only then."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    waiting = await holders.waiting(None)
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(_DRAIN_POLL_SECONDS)
        waiting = await holders.waiting(waiting)
    named = await holders.naming(waiting)
    if named:
        raise Refused(
            f"{len(named)} requests that name this address wait for a parser: start one (tamas up, or tamas run "
            "parser), then ask again. Nothing was erased."
        )


async def _remove(record: AsyncConnectionPool, hidden: Hidden, raws: Sequence[UUID]) -> tuple[int, int, int]:
    arguments = {"tenant": hidden.tenant, "raws": list(raws), "subject": hidden.address_id}
    async with record.connection() as connection:
        row = await (await connection.execute(_REMOVE, arguments)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return row[0], row[1], row[2]


async def tell(settings: Settings, record: AsyncConnectionPool, hidden: Hidden) -> int:
    """Record the fact of an erasure, once; returns its position."""
    fact = AddressErased(address_id=hidden.address_id, epoch=hidden.epoch)
    row = FactRow(
        event_id=uuid5(hidden.address_id, f"{fact.type}/{hidden.epoch}"),
        tenant=hidden.tenant,
        topic=TOPIC_OF[fact.type],
        type=fact.type,
        version=fact.version,
        subject=hidden.address_id,
        inbox_id=None,
        raw_id=None,
        occurred_at=hidden.erased_at,
        data=fact.clear_json(),
        personal=None,
    )
    appender = await Appender.open(settings.record_url)
    try:
        if await appender.new_of([(row.event_id, row.revision, row.tenant, new_raw_id())]):
            await appender.commit([row])
        else:
            await appender.rollback()
    finally:
        await appender.close()
    async with record.connection() as connection:
        found = await (await connection.execute(_POSITION, (hidden.tenant, hidden.address_id))).fetchone()
    assert found is not None  # noqa: S101 - committed above, or by the erasure that this one finishes
    return found[0]


async def _counts(record: AsyncConnectionPool, hidden: Hidden) -> list[tuple[date, str, int]]:
    async with record.connection() as connection:
        cursor = await connection.execute(_COUNTS, {"tenant": hidden.tenant, "subject": hidden.address_id})
        return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]
