"""A decider under its lease: reads the record in its order and decides, session by session.

Decisions, tables and the position are one transaction: killed anywhere, it is decided again, once.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services import lease
from services.deciding.progress import Moved, Progress
from services.pause import pause
from services.record.decisions import Lease
from services.record.errors import Fenced

_STANDBY_SECONDS: Final = 0.5
_BACK_OFF_SECONDS: Final = (0.2, 2.0)
_STEADY_SECONDS: Final = 8.0
_STOP_SECONDS: Final = 5.0
_LOG: Final = structlog.get_logger()


class Leader:
    """One per process and decider. Any number may run: one decides, the others stand by."""

    def __init__(
        self,
        name: str,
        record: AsyncConnectionPool,
        session: Callable[[Lease, asyncio.Event], Awaitable[None]],
        progress: Progress,
    ) -> None:
        """`name` is the decider's, and its lease's. `session` decides until its event is set, or raises.

        Nothing is read before `run`.
        """
        self._name: Final = name
        self._record: Final = record
        self._session: Final = session
        self._holder: Final = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._ready: Callable[[], None] | None = None
        self.progress: Final = progress

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Until `stop`. `ready` is called once, when it decides or stands by for the first time."""
        self._ready = ready
        while not stop.is_set():
            epoch = await self._acquire()
            if epoch is None:
                await pause(stop, _STANDBY_SECONDS)
            else:
                await self._lead(Lease(self._name, epoch), stop)

    async def _acquire(self) -> int | None:
        try:
            epoch = await lease.acquire(self._record, self._name, self._holder)
        except (psycopg.Error, PoolTimeout, OSError) as error:
            _LOG.warning(f"{self._name}.away", error=type(error).__name__)
            return None
        self._is_ready()
        return epoch

    async def _lead(self, held: Lease, stop: asyncio.Event) -> None:
        _LOG.info(f"{self._name}.leads", epoch=held.epoch, holder=self._holder)
        self.progress.leads = True
        renewing = asyncio.create_task(self._keep_renewing(held))
        deciding = asyncio.create_task(self._sessions(held, stop))
        try:
            await asyncio.wait([renewing, deciding], return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await asyncio.wait([deciding], timeout=_STOP_SECONDS)
        finally:
            self.progress.leads = False
            for task in (renewing, deciding):
                task.cancel()
            await asyncio.gather(renewing, deciding, return_exceptions=True)
            await self._let_go(held)

    async def _sessions(self, held: Lease, stop: asyncio.Event) -> None:
        back_off = _BACK_OFF_SECONDS[0]
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self._session(held, stop)
            except Fenced as error:
                _LOG.info(f"{self._name}.fenced", reason=str(error))
                return
            except Moved as error:
                _LOG.info(f"{self._name}.moved", reason=str(error))
            except Exception as error:  # noqa: BLE001 - nothing may end the decider: it tells, waits and begins again
                _LOG.warning(f"{self._name}.failed", error=type(error).__name__, detail=str(error))
            if time.monotonic() - began > _STEADY_SECONDS:
                back_off = _BACK_OFF_SECONDS[0]
            await pause(stop, back_off)
            back_off = min(back_off * 2, _BACK_OFF_SECONDS[1])

    async def _keep_renewing(self, held: Lease) -> None:
        while True:
            await asyncio.sleep(lease.RENEW_SECONDS)
            try:
                await lease.renew(self._record, self._name, held.epoch)
            except Fenced as error:
                _LOG.info(f"{self._name}.fenced", reason=str(error))
                return
            except (psycopg.Error, PoolTimeout, OSError) as error:
                _LOG.warning(f"{self._name}.away", error=type(error).__name__)

    async def _let_go(self, held: Lease) -> None:
        try:
            await lease.release(self._record, self._name, held.epoch)
        except (psycopg.Error, PoolTimeout, OSError) as error:
            _LOG.info(f"{self._name}.lease_not_released", error=type(error).__name__)

    def _is_ready(self) -> None:
        if self._ready is not None:
            self._ready()
            self._ready = None
