"""Parser workers: make facts of what was taken raw (mail, long bodies), by the path that a re-parse uses."""

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from types import FrameType
from typing import Final
from uuid import UUID, uuid5

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from channels.contract import Heard, InboundRequest
from channels.errors import Malformed
from services.blobs import BlobStore
from services.ingress.spans import traced_one
from services.keys.ring import Ring
from services.keys.vault import Unsealable
from services.metrics.catalogue import SECONDS
from services.metrics.meters import Histogram, Labels, watch
from services.record.append import Appender, FactRow
from services.record.facts import addresses, fact_row
from services.record.raw import opened
from services.tenancy.directory import Directory, Inbox

_BATCH: Final = 20
_CLAIM_SECONDS: Final = 15
_TRIES: Final = 3
_LIMIT_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 0.01
_PAUSE_SECONDS: Final = 0.5
_LOG: Final = structlog.get_logger("parser")

# A claim runs out, so that what a killed parser held is found again.
_CLAIM: Final = """
    UPDATE service.pending SET claimed_until = clock_timestamp() + make_interval(secs => %s)
    WHERE raw_id IN (SELECT raw_id FROM service.pending WHERE claimed_until < clock_timestamp()
        ORDER BY raw_id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING raw_id, day, tenant, inbox_id, claimed_until"""
# Of a batch some wait long: each claim is renewed as its turn comes, and only then is it a try.
_BEGIN: Final = """
    UPDATE service.pending SET claimed_until = clock_timestamp() + make_interval(secs => %s), tries = tries + %s
    WHERE raw_id = %s AND claimed_until = %s RETURNING tries, claimed_until"""
_RAW: Final = "SELECT raw_id, sealed FROM record.raw WHERE raw_id = ANY(%s) AND day = ANY(%s)"
_PARK: Final = """
    WITH done AS (DELETE FROM service.pending WHERE raw_id = %(raw_id)s)
    INSERT INTO service.parked (parked_id, tenant, inbox_id, raw_id, day, stage, reason, parked_at)
    VALUES (%(parked_id)s, %(tenant)s, %(inbox_id)s, %(raw_id)s, %(day)s, 'parser', %(reason)s, clock_timestamp())
    ON CONFLICT (parked_id) DO UPDATE SET state = 'parked', reason = excluded.reason, parked_at = excluded.parked_at"""


@dataclass(slots=True)
class _Job:
    raw_id: UUID
    day: date
    tenant: str
    inbox_id: UUID
    claimed_until: datetime
    tries: int = 0


class _Unreadable(Exception):
    """Park it with this sentence."""


class _TooSlow(Exception):
    """Reading took longer than the limit."""


class Parser:
    """Takes pending requests, a few at a time. Any number of workers may run."""

    def __init__(self, pool: AsyncConnectionPool, url: str, ring: Ring, blobs: BlobStore, directory: Directory) -> None:
        """`pool` is to RECORD_URL as its owner: a parser deletes what is no longer pending."""
        self._pool: Final = pool
        self._url: Final = url
        self._ring: Final = ring
        self._blobs: Final = blobs
        self._directory: Final = directory
        self._appender: Appender | None = None
        self._results: Final[Counter[Labels]] = Counter()
        self._seconds: Final[dict[Labels, Histogram]] = {}

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Work until `stop`; waits while the database is away."""
        watch("tamas_parser_requests", lambda: self._results)
        watch("tamas_parser_seconds", lambda: self._seconds)
        ready()
        waiting: deque[_Job] = deque()
        while not stop.is_set():
            try:
                waiting.extend(() if waiting else await self._claim())
                if waiting:
                    # Taken off once it is done: what the database's absence interrupts is tried again at once.
                    await self._work(waiting[0])
                    waiting.popleft()
                await asyncio.sleep(0 if waiting else _IDLE_SECONDS)
            except (psycopg.OperationalError, OSError) as error:
                _LOG.warning("the record is away", error=type(error).__name__)
                await self._drop_writer()
                await asyncio.sleep(_PAUSE_SECONDS)
        await self._drop_writer()

    async def _claim(self) -> list[_Job]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_CLAIM, (_CLAIM_SECONDS, _BATCH))
            return sorted((_Job(*row) for row in await cursor.fetchall()), key=lambda job: job.raw_id)

    async def _work(self, job: _Job) -> None:
        """One request: its facts, or a parked row. A worker that was killed over it gets two more tries."""
        started = time.monotonic()
        if not await self._is_ours(job):
            return
        try:
            request, inbox = await self._request(job), await self._inbox(job)
            with traced_one("parser", request.header("traceparent")) as traceparent:
                heard = self._read(inbox, request)
                await self._save(job, request, heard, traceparent)
        except (psycopg.OperationalError, OSError):
            raise
        except (_Unreadable, Malformed) as error:
            await self._park(job, str(error))
        except _TooSlow:
            await self._park(job, f"reading it took longer than {_LIMIT_SECONDS:.0f} seconds")
        except Exception as error:
            # The edge: a fault of ours on one request keeps no other waiting.
            _LOG.exception("a request could not be read", raw_id=str(job.raw_id))
            await self._drop_writer()
            await self._park(job, f"a fault of ours while reading it: {type(error).__name__}")
        else:
            self._count(job, "read")
            _LOG.debug("read", raw_id=str(job.raw_id), seconds=round(time.monotonic() - started, 4))

    async def _is_ours(self, job: _Job) -> bool:
        """Renew the claim; False when it ran out and another worker has the request."""
        async with self._pool.connection() as connection:
            # A try that the database's absence cut short says nothing about the request.
            again = 0 if job.tries else 1
            cursor = await connection.execute(_BEGIN, (_CLAIM_SECONDS, again, job.raw_id, job.claimed_until))
            row = await cursor.fetchone()
        if row is None:
            return False
        job.tries, job.claimed_until = row
        return True

    async def _inbox(self, job: _Job) -> Inbox:
        inbox = await self._directory.lookup_id(job.inbox_id)
        if inbox is None:
            raise _Unreadable("its inbox does not work: see `tamas inbox check`")
        return inbox

    async def _request(self, job: _Job) -> InboundRequest:
        if job.tries > _TRIES:
            raise _Unreadable(f"reading it ended {_TRIES} parser workers")
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_RAW, ([job.raw_id], [job.day]))
            row = await cursor.fetchone()
        cipher = await self._ring.existing_day(job.tenant, job.day)
        if row is None or cipher is None:
            raise _Unreadable("the request itself is gone, with its day")
        try:
            return opened(row[1], job.raw_id, cipher)
        except Unsealable as error:
            raise _Unreadable(str(error)) from error

    async def _save(self, job: _Job, request: InboundRequest, heard: list[Heard], traceparent: str | None) -> None:
        subjects = await self._ring.subjects(addresses(job.tenant, heard))
        for one in heard:
            await self._blobs.put(job.tenant, subjects[job.tenant, one.address], one.blobs)
        rows = [
            fact_row(
                one,
                origin=request.origin,
                inbox_id=job.inbox_id,
                raw_id=job.raw_id,
                subject=subjects[job.tenant, one.address],
                received_at=request.received_at,
                traceparent=traceparent,
            )
            for one in heard
        ]
        await self._commit(job, rows)

    async def _commit(self, job: _Job, rows: list[FactRow]) -> None:
        appender = self._appender
        if appender is None:
            appender = self._appender = await Appender.open(self._url, role="tamas_parser")
        new = await appender.new_of([(row.event_id, 1, row.tenant, job.raw_id) for row in rows])
        await appender.commit([row for row in rows if (row.event_id, 1) in new], done=[job.raw_id])

    async def _park(self, job: _Job, reason: str) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                _PARK,
                {
                    "parked_id": uuid5(job.raw_id, "parser"),
                    "tenant": job.tenant,
                    "inbox_id": job.inbox_id,
                    "raw_id": job.raw_id,
                    "day": job.day,
                    "reason": reason.replace("\0", ""),
                },
            )
        self._count(job, "parked")
        _LOG.warning("request parked", raw_id=str(job.raw_id))

    def _read(self, inbox: Inbox, request: InboundRequest) -> list[Heard]:
        began = time.monotonic()
        try:
            with _within(_LIMIT_SECONDS):
                return list(inbox.handler.parse(request))
        finally:
            seconds = self._seconds.setdefault((inbox.channel,), Histogram(SECONDS))
            seconds.observe(time.monotonic() - began)

    def _count(self, job: _Job, result: str) -> None:
        inbox = self._directory.by_id(job.inbox_id)
        self._results[job.tenant, "" if inbox is None else inbox.channel, str(job.inbox_id), result] += 1

    async def _drop_writer(self) -> None:
        if self._appender is not None:
            await self._appender.close()
            self._appender = None


@contextmanager
def _within(seconds: float) -> Generator[None]:
    """Interrupt what runs too long; the main thread of a process of its own."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
