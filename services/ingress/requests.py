"""The last refused and repeated requests of each inbox, for a gateway's developer. Never holds a request up."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from services.ingress.submission import Submission
from services.ingress.tally import Reason, Tally
from services.record.raw import new_raw_id
from services.tenancy.directory import Inbox

_KEPT_PER_INBOX: Final = 200
_WAITING: Final = 500
_PAUSE_SECONDS: Final = 0.5
_INSERT: Final = """
    INSERT INTO service.requests (request_id, tenant, inbox_id, received_at, result, reason, event_ids)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_PRUNE: Final = """
    DELETE FROM service.requests WHERE inbox_id = %s AND received_at < (
        SELECT received_at FROM service.requests WHERE inbox_id = %s ORDER BY received_at DESC OFFSET %s LIMIT 1)"""


@dataclass(frozen=True, slots=True)
class _Row:
    request_id: UUID
    tenant: str
    inbox_id: UUID
    received_at: datetime
    result: str
    reason: str | None
    event_ids: list[UUID]


class RequestLog:
    """Buffers rows and writes them behind the answers; what does not fit is only counted."""

    def __init__(self, pool: AsyncConnectionPool, tally: Tally) -> None:
        """`pool` is to RECORD_URL with the role of ingress."""
        self._pool: Final = pool
        self._rows: list[_Row] = []
        self._log: Final = structlog.get_logger("requests")
        self.tally: Final = tally

    def refused(self, inbox: Inbox, one: Submission, reason: str, kind: Reason = "signature") -> None:
        """A request that did not come from the provider; its body is not kept."""
        self.tally.refuse(inbox.inbox_id, kind)
        self._note(inbox, one, "refused", reason, [])

    def repeated(self, inbox: Inbox, one: Submission) -> None:
        """A request that was on the record already."""
        self._note(inbox, one, "duplicate", None, list(one.event_ids))

    def trouble(self, inbox: Inbox, result: str, reason: str) -> None:
        """What went wrong where nobody comes to us, because we have to go: at a mailbox that we fetch from."""
        if len(self._rows) < _WAITING:
            now = datetime.now(UTC)
            self._rows.append(_Row(new_raw_id(), inbox.tenant, inbox.inbox_id, now, result, reason, []))

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop`; rows are dropped while the database is away."""
        while not stop.is_set():
            await asyncio.sleep(_PAUSE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what has gathered."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            async with self._pool.connection() as connection, connection.transaction():
                cursor = connection.cursor()
                await cursor.executemany(
                    _INSERT,
                    [
                        (
                            row.request_id,
                            row.tenant,
                            row.inbox_id,
                            row.received_at,
                            row.result,
                            row.reason,
                            row.event_ids,
                        )
                        for row in rows
                    ],
                )
                inboxes = {row.inbox_id for row in rows}
                await cursor.executemany(_PRUNE, [(inbox, inbox, _KEPT_PER_INBOX) for inbox in inboxes])
        except psycopg.Error as error:
            self._log.warning("notes on requests are lost", count=len(rows), error=type(error).__name__)

    def _note(self, inbox: Inbox, one: Submission, result: str, reason: str | None, event_ids: list[UUID]) -> None:
        if len(self._rows) < _WAITING:
            received_at = one.request.received_at
            self._rows.append(_Row(one.raw_id, inbox.tenant, inbox.inbox_id, received_at, result, reason, event_ids))
