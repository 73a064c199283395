"""All inboxes that are fetched from: each is read by one process at a time, and anew when its settings change."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from channels.email.imap import CHANNEL, Imap
from services import lease
from services.ingress.imap.desk import Desk, Work
from services.ingress.imap.places import Places, lease_of
from services.ingress.imap.poller import Poller
from services.pause import pause
from services.tenancy.directory import Directory, Inbox

_LOG: Final = structlog.get_logger("imap")
_ASK_AGAIN_SECONDS: Final = float(lease.SECONDS)


@dataclass(frozen=True, slots=True)
class _Running:
    inbox: Inbox
    task: asyncio.Task[None]


class Pollers:
    """Holds leases and runs a poller under each."""

    def __init__(self, pool: AsyncConnectionPool, directory: Directory, desk: Desk) -> None:
        """`pool` to RECORD_URL with the role of ingress."""
        self._pool: Final = pool
        self._directory: Final = directory
        self._desk: Final = desk
        self._holder: Final = str(uuid4())
        self._epochs: Final[dict[UUID, int]] = {}
        self._running: Final[dict[UUID, _Running]] = {}
        self._asked_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; while the database is away, who reads goes on reading what it may."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    _LOG.warning("the record is away", error=type(error).__name__)
                await pause(stop, lease.RENEW_SECONDS)
        finally:
            await self._end(list(self._running))
            await self._release()

    async def _look(self) -> None:
        wanted = {
            inbox.inbox_id: inbox for inbox in self._directory.all() if inbox.channel == CHANNEL and not inbox.disabled
        }
        await self._renew()
        stale = [
            inbox_id
            for inbox_id, running in self._running.items()
            if wanted.get(inbox_id) is not running.inbox or inbox_id not in self._epochs or running.task.done()
        ]
        await self._end(stale)
        await self._take(wanted)
        for inbox_id, epoch in self._epochs.items():
            if inbox_id in wanted and inbox_id not in self._running:
                self._start(wanted[inbox_id], epoch)
        for inbox_id in [held for held in self._epochs if held not in wanted]:
            await lease.release(self._pool, lease_of(inbox_id), self._epochs.pop(inbox_id))

    async def _renew(self) -> None:
        if self._epochs:
            held = {lease_of(inbox_id): epoch for inbox_id, epoch in self._epochs.items()}
            lost = await lease.renew_all(self._pool, held)
            for inbox_id in [one for one in self._epochs if lease_of(one) in lost]:
                del self._epochs[inbox_id]

    async def _take(self, wanted: dict[UUID, Inbox]) -> None:
        free = wanted.keys() - self._epochs.keys()
        if not free or time.monotonic() - self._asked_at < _ASK_AGAIN_SECONDS:
            return
        for inbox_id in free:
            epoch = await lease.acquire(self._pool, lease_of(inbox_id), self._holder)
            if epoch is not None:
                self._epochs[inbox_id] = epoch
        if wanted.keys() - self._epochs.keys():
            self._asked_at = time.monotonic()

    def _start(self, inbox: Inbox, epoch: int) -> None:
        handler = inbox.handler
        if not isinstance(handler, Imap):
            return
        work = Work(inbox, handler.config, Places(self._pool, inbox.inbox_id, epoch), self._desk)
        task = asyncio.create_task(Poller(work).run(), name=f"imap-{inbox.inbox_id}")
        self._running[inbox.inbox_id] = _Running(inbox, task)

    async def _end(self, inbox_ids: list[UUID]) -> None:
        tasks = [self._running.pop(inbox_id).task for inbox_id in inbox_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _release(self) -> None:
        try:
            for inbox_id, epoch in self._epochs.items():
                await lease.release(self._pool, lease_of(inbox_id), epoch)
        except psycopg.Error:
            _LOG.info("leases run out by themselves")
