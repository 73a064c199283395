"""What is told about dispatch to whoever watches, and what is thrown away when it is old."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.deciding.progress import Progress
from services.dispatch import due
from services.dispatch.tools import Tools
from services.metrics.meters import watch
from services.pause import pause

_COUNT_SECONDS: Final = 5.0
_TIDY_SECONDS: Final = 3600.0
_OVER: Final = """
    DELETE FROM service.messages
    WHERE state IN ('handed_off', 'delivered', 'failed') AND changed_at < clock_timestamp() - interval '30 days'"""
_UNEXPLAINED: Final = "DELETE FROM service.early_receipts WHERE recorded_at < clock_timestamp() - interval '1 day'"
_LOG: Final = structlog.get_logger()


@dataclass(slots=True)
class Counted:
    """At the last look."""

    states: dict[str, int] = field(default_factory=dict[str, int])
    due_since: datetime | None = None


async def watched(tools: Tools, told: Progress, stop: asyncio.Event) -> None:
    """Count and tidy until `stop`."""
    counted = Counted()
    watch("tamas_dispatch_position", lambda: {(): told.position})
    watch("tamas_dispatch_decisions", lambda: {(): told.decided})
    watch("tamas_dispatch_leads", lambda: {(): told.leads})
    watch("tamas_dispatch_in_flight", lambda: {(): len(tools.flights)})
    watch("tamas_dispatch_messages", lambda: {(state,): count for state, count in counted.states.items()})
    watch("tamas_dispatch_oldest_due_seconds", lambda: {(): _age(counted.due_since)})
    watch(
        "tamas_dispatch_circuit_open",
        lambda: {(str(inbox_id),): pace.is_open for inbox_id, pace in tools.paces.items()},
    )
    tidied_at = float("-inf")
    while not stop.is_set():
        try:
            counted.states, counted.due_since = await due.states(tools.record) if told.leads else ({}, None)
            if told.leads and time.monotonic() - tidied_at > _TIDY_SECONDS:
                tidied_at = time.monotonic()
                async with tools.record.connection() as connection:
                    await connection.execute(_OVER)
                    await connection.execute(_UNEXPLAINED)
        except (psycopg.Error, PoolTimeout) as error:
            _LOG.debug("dispatch.not_counted", error=type(error).__name__)
        await pause(stop, _COUNT_SECONDS)


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())
