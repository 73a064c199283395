"""Parser workers: make facts of what was taken raw (mail, long bodies), by the path that a re-parse uses.

What is read within a few milliseconds is stored by one commit. Never is one request read while another is being stored:
the record's lock would be held for as long.
"""

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from types import FrameType
from typing import Final
from uuid import UUID

import psycopg
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channels.contract import Blob, Heard, InboundRequest
from channels.errors import Malformed
from services.blobs import BlobStore
from services.ingress.pending import Job, Pending
from services.ingress.spans import traced_one
from services.keys.ring import Ring, Subject
from services.keys.vault import Unsealable
from services.metrics.catalogue import SECONDS
from services.metrics.meters import Histogram, Labels, watch
from services.record.append import Appender, FactRow
from services.record.facts import addresses, fact_row
from services.record.raw import opened
from services.tenancy.directory import Directory, Inbox

_TRIES: Final = 3
_LIMIT_SECONDS: Final = 10.0
_MOST_BYTES: Final = 4 << 20
_GROUP_SECONDS: Final = 0.02
_IDLE_SECONDS: Final = 0.01
_PAUSE_SECONDS: Final = 0.5
_LOG: Final = structlog.get_logger("parser")


@dataclass(slots=True, eq=False)
class _Read:
    """A request that was read and is not stored yet."""

    job: Job
    rows: list[FactRow]
    blobs: Sequence[tuple[Subject, Sequence[Blob]]]
    size: int


class _Unreadable(Exception):
    """Park it with this sentence."""


class _TooSlow(Exception):
    """Reading took longer than the limit."""


class Parser:
    """Takes pending requests, a few at a time. Any number of workers may run."""

    def __init__(self, pending: Pending, url: str, ring: Ring, blobs: BlobStore, directory: Directory) -> None:
        """`url` is RECORD_URL, for the facts' own writer."""
        self._pending: Final = pending
        self._url: Final = url
        self._ring: Final = ring
        self._blobs: Final = blobs
        self._directory: Final = directory
        self._appender: Appender | None = None
        self._results: Final[Counter[Labels]] = Counter()
        self._seconds: Final[dict[Labels, Histogram]] = {}
        self._waiting: Final[deque[Job]] = deque()
        self._days: Final[dict[tuple[str, date], AESGCM]] = {}
        self._group: list[_Read] = []
        self._group_began = 0.0

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Work until `stop`; waits while the database is away."""
        watch("tamas_parser_requests", lambda: self._results)
        watch("tamas_parser_seconds", lambda: self._seconds)
        ready()
        try:
            while not stop.is_set():
                try:
                    await self._work(stop)
                    await asyncio.sleep(_IDLE_SECONDS)
                except (psycopg.OperationalError, OSError) as error:
                    _LOG.warning("the record is away", error=type(error).__name__)
                    await self._take_back()
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await self._take_back()

    async def _work(self, stop: asyncio.Event) -> None:
        """Everything that waits."""
        while not stop.is_set():
            if not self._waiting:
                # A key of a day is kept for a batch, not for longer than the day's requests.
                self._days.clear()
                self._waiting.extend(await self._pending.claim())
            if not self._waiting:
                break
            await self._next(self._waiting[0])
        await self._save(self._group)

    async def _next(self, job: Job) -> None:
        """Read it. What may have ended a parser is read and stored alone, so that no other counts as guilty with it."""
        if job.is_suspect:
            await self._save(self._group)
        if not self._group:
            self._group_began = time.monotonic()
        one = await self._read(job)
        # Taken off once it is done: what the database's absence interrupts is tried again at once.
        self._waiting.popleft()
        if one is not None:
            self._group.append(one)
        if job.is_suspect or self._is_full():
            await self._save(self._group)

    def _is_full(self) -> bool:
        return (
            time.monotonic() - self._group_began > _GROUP_SECONDS or sum(one.size for one in self._group) > _MOST_BYTES
        )

    async def _take_back(self) -> None:
        """What was read and could not be stored waits again, before the others."""
        self._waiting.extendleft(one.job for one in reversed(self._group))
        self._group = []
        await self._drop_writer()

    async def _read(self, job: Job) -> _Read | None:
        """Its facts; None when it was parked, or is another worker's. Who was killed over it gets two more tries."""
        begun = await self._pending.begin(job)
        if begun is None:
            return None
        try:
            request, inbox = await self._request(job, *begun), await self._inbox(job)
            with traced_one("parser", request.header("traceparent")) as traceparent:
                return await self._facts(job, request, self._heard(inbox, request), traceparent)
        except (psycopg.OperationalError, OSError):
            raise
        except (_Unreadable, Malformed) as error:
            await self._park(job, str(error))
        except _TooSlow:
            await self._park(job, f"reading it took longer than {_LIMIT_SECONDS:.0f} seconds")
        except Exception as error:
            await self._fault(job, error)
        return None

    async def _inbox(self, job: Job) -> Inbox:
        inbox = await self._directory.lookup_id(job.inbox_id)
        if inbox is None:
            raise _Unreadable("its inbox does not work: see `tamas inbox check`")
        return inbox

    async def _request(self, job: Job, sealed: bytes | None) -> InboundRequest:
        if job.tries > _TRIES:
            raise _Unreadable(f"reading it ended {_TRIES} parser workers")
        cipher = self._days.get((job.tenant, job.day)) or await self._ring.existing_day(job.tenant, job.day)
        if sealed is None or cipher is None:
            raise _Unreadable("the request itself is gone, with its day")
        self._days[job.tenant, job.day] = cipher
        try:
            return opened(sealed, job.raw_id, cipher)
        except Unsealable as error:
            raise _Unreadable(str(error)) from error

    async def _facts(self, job: Job, request: InboundRequest, heard: Sequence[Heard], traceparent: str | None) -> _Read:
        subjects = await self._ring.subjects(addresses(job.tenant, heard))
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
        blobs = [(subjects[job.tenant, one.address], one.blobs) for one in heard]
        return _Read(job, rows, blobs, sum(len(blob.content) for _, some in blobs for blob in some))

    async def _save(self, group: Sequence[_Read]) -> None:
        if not group:
            return
        try:
            await asyncio.gather(*(self._blobs.put(one.job.tenant, *pair) for one in group for pair in one.blobs))
            await self._commit(group)
        except (psycopg.OperationalError, OSError):
            raise
        except Exception as error:
            await self._drop_writer()
            if len(group) > 1:
                for one in group:
                    await self._save([one])
                return
            await self._fault(group[0].job, error)
        else:
            for one in group:
                self._count(one.job, "read")
                _LOG.debug("read", raw_id=str(one.job.raw_id))
        self._group = [one for one in self._group if one not in group]

    async def _commit(self, group: Sequence[_Read]) -> None:
        appender = self._appender
        if appender is None:
            appender = self._appender = await Appender.open(self._url, role="tamas_parser")
        # Of the same mail twice in a group the first is kept.
        first: dict[UUID, tuple[Job, FactRow]] = {}
        for job, row in ((one.job, row) for one in group for row in one.rows):
            first.setdefault(row.event_id, (job, row))
        new = await appender.new_of([(event_id, 1, job.tenant, job.raw_id) for event_id, (job, _) in first.items()])
        rows = [row for event_id, (_, row) in first.items() if (event_id, 1) in new]
        await appender.commit(rows, done=[one.job.raw_id for one in group])

    async def _fault(self, job: Job, error: Exception) -> None:
        """The edge: a fault of ours on one request keeps no other waiting."""
        _LOG.error("a request could not be read", raw_id=str(job.raw_id), exc_info=error)
        await self._park(job, f"a fault of ours while reading it: {type(error).__name__}")

    async def _park(self, job: Job, reason: str) -> None:
        await self._pending.park(job, reason)
        self._count(job, "parked")
        _LOG.warning("request parked", raw_id=str(job.raw_id))

    def _heard(self, inbox: Inbox, request: InboundRequest) -> list[Heard]:
        began = time.monotonic()
        try:
            with _within(_LIMIT_SECONDS):
                return list(inbox.handler.parse(request))
        finally:
            seconds = self._seconds.setdefault((inbox.channel,), Histogram(SECONDS))
            seconds.observe(time.monotonic() - began)

    def _count(self, job: Job, result: str) -> None:
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
