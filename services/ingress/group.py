"""One group of requests becomes one transaction, or is halved until the guilty request stands alone and is parked."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

import psycopg
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.blobs import BlobStore
from services.ingress.submission import Outcome, Result, Submission, Unkept
from services.keys.ring import Ring, Subject
from services.record.append import Appender, FactRow, Parked
from services.record.facts import addresses, fact_row
from services.record.raw import RawRow, sealed

_LOG: Final = structlog.get_logger("intake")

Subjects = Mapping[tuple[str, str], Subject]
Days = Mapping[tuple[str, date], AESGCM]
Prepared = tuple[Submission, list[FactRow], tuple[UUID, ...]]
"""A request, its facts as rows, and what is remembered of it in `seen`: ids are derived once, which costs."""


async def store_blobs(one: Submission, ring: Ring, blobs: BlobStore) -> None:
    """Durably, before the facts that name them.

    Raises:
        psycopg.OperationalError, OSError: the keys or the blobs cannot be reached.
    """
    subjects = await ring.subjects({(one.tenant, heard.address) for heard in one.heard})
    for heard in one.heard:
        await blobs.put(one.tenant, subjects[one.tenant, heard.address], heard.blobs)


async def commit_group(group: Sequence[Submission], appender: Appender, ring: Ring) -> None:
    """Commit and answer every waiter of the group.

    Raises:
        psycopg.OperationalError: the record or the key store is away; nobody was answered, all may be tried again.
    """
    subjects = await ring.subjects({pair for one in group for pair in addresses(one.tenant, one.heard)})
    days = {(one.tenant, one.request.received_at.date()) for one in group}
    ciphers = {key: await ring.day(*key) for key in days}
    await _commit([_prepared(one, _facts(one, subjects)) for one in group], ciphers, appender)


def _prepared(one: Submission, rows: list[FactRow]) -> Prepared:
    return one, rows, tuple([row.event_id for row in rows]) or one.event_ids


def _facts(one: Submission, subjects: Subjects) -> list[FactRow]:
    if one.reason is not None:
        return []
    try:
        return [
            fact_row(
                heard,
                origin=one.request.origin,
                inbox_id=one.inbox_id,
                raw_id=one.raw_id,
                subject=subjects[one.tenant, heard.address],
                received_at=one.request.received_at,
                traceparent=one.traceparent,
            )
            for heard in one.heard
        ]
    except ValueError as error:
        one.reason = f"a fact of this request cannot be written: {type(error).__name__}"
        return []


async def _commit(prepared: Sequence[Prepared], days: Days, appender: Appender) -> None:
    try:
        await _commit_at_once(prepared, days, appender)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        await appender.renew()
        if len(prepared) > 1:
            middle = len(prepared) // 2
            await _commit(prepared[:middle], days, appender)
            await _commit(prepared[middle:], days, appender)
        else:
            await _park(prepared[0][0], error, days, appender)


async def _commit_at_once(prepared: Sequence[Prepared], days: Days, appender: Appender) -> None:
    new = await appender.new_of([(i, 1, one.tenant, one.raw_id) for one, _, ids in prepared for i in ids])
    facts: list[FactRow] = []
    raws: list[RawRow] = []
    parked: list[Parked] = []
    outcomes: list[tuple[Submission, Outcome]] = []
    for one, rows, ids in prepared:
        fresh = [event_id for event_id in ids if (event_id, 1) in new]
        outcomes.append((one, Outcome(_result(one, bool(fresh)), ids)))
        if not fresh:
            continue
        new.difference_update([(event_id, 1) for event_id in fresh])
        facts.extend(row for row in rows if row.event_id in fresh)
        raw = _raw(one, days)
        raws.append(raw)
        if one.reason is not None:
            parked.append(Parked(raw, ids[0], "ingress", one.reason))
    if raws:
        await appender.commit(facts, raws, parked=parked)
    else:
        await appender.rollback()
    for one, outcome in outcomes:
        one.settle(outcome)


async def _park(one: Submission, error: psycopg.Error, days: Days, appender: Appender) -> None:
    if one.reason is not None:
        _LOG.error("request cannot even be parked", raw_id=str(one.raw_id), error=type(error).__name__)
        one.settle(Unkept(f"the record refuses this request: {type(error).__name__}"))
        return
    one.reason = f"the record refuses its facts: {type(error).__name__}"
    _LOG.warning("request parked", raw_id=str(one.raw_id), error=type(error).__name__)
    await _commit([_prepared(one, [])], days, appender)


def _result(one: Submission, fresh: bool) -> Result:
    if one.reason is not None:
        return "parked"
    return "accepted" if fresh else "duplicate"


def _raw(one: Submission, days: Days) -> RawRow:
    request = one.request
    cipher = days[one.tenant, request.received_at.date()]
    return RawRow(
        one.raw_id, one.tenant, one.inbox_id, request.received_at, one.state, sealed(request, one.raw_id, cipher)
    )
