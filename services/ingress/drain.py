"""Brings what was spooled to the record: in order, a little at a time, by the way of every other request."""

import asyncio
import contextlib
import time
from typing import Final

import psycopg
import structlog

from services.blobs import BlobStore
from services.ingress.group import commit_group, store_blobs
from services.ingress.hooks import read
from services.ingress.intake import Intake
from services.ingress.spool import Spool
from services.ingress.submission import Submission
from services.ingress.tally import Tally
from services.keys.ring import Ring
from services.record.append import Appender
from services.spool.reader import Found
from services.spool.writer import Kept
from services.tenancy.directory import Directory

_MOST: Final = 200
"""Facts in a transaction."""
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.3
_LONGEST_REST_SECONDS: Final = 0.05
_ADOPT_SECONDS: Final = 5.0
_LOG: Final = structlog.get_logger("spool")
_Away = (psycopg.OperationalError, OSError, TimeoutError)


class Drain:
    """One per process, on a connection of its own. It is also who finds out that the record is back."""

    def __init__(
        self,
        url: str,
        spool: Spool,
        intake: Intake,
        directory: Directory,
        *,
        ring: Ring,
        blobs: BlobStore,
        tally: Tally | None = None,
    ) -> None:
        """`url` is RECORD_URL; the other parts are those of the doors."""
        self._url: Final = url
        self._spool: Final = spool
        self._intake: Final = intake
        self._directory: Final = directory
        self._ring: Final = ring
        self._blobs: Final = blobs
        self._tally: Final = tally or Tally()
        self._appender: Appender | None = None
        self._most = _MOST
        self._adopted_at = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what is still spooled then is for the next process."""
        while not stop.is_set():
            try:
                await self._turn()
            except _Away as error:
                _LOG.debug("drain.away", error=type(error).__name__)
                await self._disconnect()
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - told to the log
                # The edge: a fault of ours must not be the end of draining.
                _LOG.exception("the spool cannot be drained")
                await self._disconnect()
                await asyncio.sleep(_PAUSE_SECONDS)
        await self._disconnect()

    async def _turn(self) -> None:
        if time.monotonic() - self._adopted_at > _ADOPT_SECONDS:
            self._adopted_at = time.monotonic()
            await self._spool.adopt()
        found = await self._spool.next(self._most) if self._spool.some.is_set() else []
        if found:
            began = time.monotonic()
            await self._bring(found)
            # Half of the time is for those who come now.
            await asyncio.sleep(min(time.monotonic() - began, _LONGEST_REST_SECONDS))
            return
        if self._intake.is_gone:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._connected()
            self._intake.back()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._spool.some.wait()

    async def _bring(self, found: list[Found]) -> None:
        group, began = await self._group(found), time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for one in (one for one in group if any(heard.blobs for heard in one.heard)):
                    await store_blobs(one, self._ring, self._blobs)
                await commit_group(group, await self._connected(), self._ring)
        except _Away:
            raise
        except Exception:
            if len(group) > 1:
                self._most = len(group) // 2
                raise
            # Alone, it would keep all others waiting for ever.
            _LOG.exception("a spooled request is set aside", raw_id=str(group[0].raw_id))
            await self._spool.refuse(found[0][1])
        else:
            self._tally.committed(group, time.monotonic() - began)
        self._most = min(_MOST, self._most * 2)
        self._intake.back()
        for one, (_, place) in zip(group, found, strict=False):
            if one.answer is not None and one.answer.done() and one.answer.exception() is not None:
                await self._spool.refuse(place)
        self._spool.drained(found[: len(group)])

    async def _group(self, found: list[Found]) -> list[Submission]:
        """As many of these as make one transaction."""
        group: list[Submission] = []
        facts = 0
        for kept, _ in found:
            one = await self._read(kept)
            facts += max(1, len(one.heard))
            if group and facts > _MOST:
                break
            group.append(one)
        return group

    async def _read(self, kept: Kept) -> Submission:
        one = Submission(kept.request, kept.inbox_id, raw_id=kept.raw_id)
        one.answer = asyncio.get_running_loop().create_future()
        inbox = await self._directory.lookup_id(kept.inbox_id)
        if inbox is not None:
            read(one, inbox)
        elif self._directory.away:
            raise TimeoutError
        else:
            one.reason = "its inbox does not work: see `tamas inbox check`"
        return one

    async def _connected(self) -> Appender:
        if self._appender is None:
            self._appender = await Appender.open(self._url)
        return self._appender

    async def _disconnect(self) -> None:
        if self._appender is not None:
            await self._appender.close()
            self._appender = None
