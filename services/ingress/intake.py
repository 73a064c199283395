"""Group commit: what arrived while the last commit ran is one transaction. Every waiter is answered.

While the record is away, requests of senders who do not come again go to the spool, and those of the same inbox after
them.
"""

import asyncio
import time
from collections import deque
from typing import Final

import psycopg
import structlog

from services.blobs import BlobStore
from services.ingress.group import commit_group, store_blobs
from services.ingress.spans import traced
from services.ingress.spool import Spool
from services.ingress.submission import Away, Outcome, Submission, Unkept
from services.ingress.tally import Tally
from services.keys.ring import Ring
from services.record.append import Appender

_MOST_REQUESTS: Final = 256
_MOST_BYTES: Final = 1 << 20
_CROWD: Final = _MOST_REQUESTS // 2
_PATIENCE_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.1


class Intake:
    """Two writers on the record, fed by every door of this process."""

    def __init__(
        self,
        record_url: str,
        ring: Ring,
        blobs: BlobStore,
        *,
        spool: Spool | None = None,
        writers: int = 2,
        tally: Tally | None = None,
    ) -> None:
        """`start` before the first `submit`. Without a spool every sender has to come again."""
        self._url: Final = record_url
        self._ring: Final = ring
        self._blobs: Final = blobs
        self._spool: Final = spool
        self._tally: Final = tally or Tally()
        # The first writer takes whatever waits. Another helps where a crowd does: small groups cost most.
        self._wakers: Final = [(n * _CROWD + 1, asyncio.Event()) for n in range(writers)]
        self._queue: Final[deque[Submission]] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._log: Final = structlog.get_logger("intake")
        self.away_since: float | None = None
        """Monotonic time since when the record takes nothing; None while it does."""
        self.is_gone: bool = False
        """It was away for longer than requests are held up for it; until `back`, none that can be spooled waits."""

    @property
    def waiting(self) -> int:
        """Requests that wait for a group."""
        return len(self._queue)

    def start(self) -> None:
        """Start the writers; each connects when its first group comes."""
        self._tasks = [
            asyncio.create_task(self._write(waker), name=f"writer-{n}") for n, (_, waker) in enumerate(self._wakers)
        ]

    async def stop(self) -> None:
        """Stop the writers and tell whoever still waits that nothing was kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._refuse(list(self._queue), "shutting down")

    def back(self) -> None:
        """The record takes requests again."""
        self.away_since, self.is_gone = None, False

    async def submit(self, one: Submission) -> Outcome:
        """Wait until the request is committed, or is safe in the spool.

        Raises:
            Away: it is not, and nothing of it was kept.
        """
        if one.spools and self._is_diverted(one):
            return await self._spooled(one)
        try:
            if any(heard.blobs for heard in one.heard):
                await self._store_blobs(one)
            one.answer = asyncio.get_running_loop().create_future()
            one.queued_at = time.monotonic()
            self._queue.append(one)
            for crowd, waker in self._wakers:
                if len(self._queue) >= crowd:
                    waker.set()
            return await one.answer
        except Unkept:
            raise
        except Away:
            if not one.spools:
                raise
        return await self._spooled(one)

    def _is_diverted(self, one: Submission) -> bool:
        return self._spool is not None and (self.is_gone or self._spool.holds(one.inbox_id))

    async def _spooled(self, one: Submission) -> Outcome:
        if self._spool is None:
            raise Away("there is no spool")
        await self._spool.append(one)
        return Outcome("accepted" if one.reason is None else "parked", one.event_ids)

    async def _store_blobs(self, one: Submission) -> None:
        try:
            await store_blobs(one, self._ring, self._blobs)
        except (psycopg.OperationalError, OSError) as error:
            raise Away("the keys or the blobs cannot be reached") from error

    async def _write(self, waker: asyncio.Event) -> None:
        appender: Appender | None = None
        try:
            while True:
                await waker.wait()
                group = self._take()
                if group:
                    appender = await self._commit(group, appender)
        finally:
            if appender is not None:
                await appender.close()

    def _take(self) -> list[Submission]:
        group: list[Submission] = []
        size = 0
        while self._queue and len(group) < _MOST_REQUESTS and size < _MOST_BYTES:
            one = self._queue.popleft()
            size += len(one.request.body)
            group.append(one)
        for crowd, waker in self._wakers:
            if len(self._queue) < crowd:
                waker.clear()
        return group

    async def _commit(self, group: list[Submission], appender: Appender | None) -> Appender | None:
        """Try until it is done or patience ends; a repeat after a lost acknowledgement finds its facts seen."""
        began = time.monotonic()
        deadline = began + _PATIENCE_SECONDS
        try:
            while True:
                try:
                    # A frozen server answers nothing at all: the provider's own patience must not run out first.
                    async with asyncio.timeout(_PATIENCE_SECONDS):
                        if appender is None:
                            appender = await Appender.open(self._url)
                        with traced(group):
                            await commit_group(group, appender, self._ring)
                except (psycopg.OperationalError, OSError, TimeoutError) as error:
                    self._note_away(error)
                    self._tally.failed(group)
                    if appender is not None:
                        await appender.close()
                        appender = None
                    group = self._still_waiting(group)
                    if time.monotonic() > deadline:
                        self.is_gone = True
                        self._refuse(group, "the record is away")
                        self._refuse(self._overdue(), "the record is away")
                        return appender
                    await asyncio.sleep(_PAUSE_SECONDS)
                    group = self._still_waiting(group)
                else:
                    self.back()
                    self._tally.committed(group, time.monotonic() - began)
                    return appender
        except asyncio.CancelledError:
            self._refuse(group, "shutting down")
            raise
        except Exception:
            self._log.exception("a group could not be committed")
            self._refuse(group, "a fault of ours")
            if appender is not None:
                await appender.close()
            return None

    def _still_waiting(self, group: list[Submission]) -> list[Submission]:
        """Of a group that was tried. What waits for an inbox that has begun to spool keeps its place there."""
        waiting = [one for one in group if one.answer is not None and not one.answer.done()]
        self._refuse([one for one in waiting if one.spools and self._is_diverted(one)], "the record is away")
        return [one for one in waiting if one.answer is not None and not one.answer.done()]

    def _overdue(self) -> list[Submission]:
        """Take out of the queue who goes to the spool now, and who has waited for as long as anybody does."""
        oldest = time.monotonic() - _PATIENCE_SECONDS
        queued, taken = list(self._queue), list[Submission]()
        self._queue.clear()
        for one in queued:
            (taken if one.queued_at < oldest or (one.spools and self._is_diverted(one)) else self._queue).append(one)
        return taken

    def _note_away(self, error: Exception) -> None:
        if self.away_since is None:
            self.away_since = time.monotonic()
            self._log.warning("the record is away", error=type(error).__name__)

    def _refuse(self, group: list[Submission], why: str) -> None:
        for one in group:
            one.settle(Away(why))
