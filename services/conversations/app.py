"""The decider of conversations as a service: pools, keys, reader, and the loop."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services import database
from services.conversations.belonging import Rules
from services.conversations.decider import Decider
from services.conversations.tools import Tools
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.metrics.meters import watch
from services.record.decisions import Decisions
from services.record.reader import Reader
from services.settings import Settings


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    started: Callable[[Decider], None] | None = None,
) -> None:
    """Decide until `stop`. `started` is given the decider at once, for its progress.

    Raises:
        Misconfigured: no sealing key, or one too short.
    """
    vault = Vault(settings.secrets())
    record = database.pool(
        settings.record_url, size=3, role="tamas_decider", options="-c TimeZone=UTC", name="tamas-conversations"
    )
    keys = database.pool(settings.keys_url, size=1, name="tamas-conversations-keys")
    ring, decisions = Ring(keys, vault), Decisions(settings.record_url)
    rules = Rules(timedelta(days=settings.reopen_days), settings.mails_per_hour)
    decider = Decider(Tools(record, Reader(record, ring), ring, decisions), rules)
    if started is not None:
        started(decider)
    told = decider.progress
    watch("tamas_conversations_position", lambda: {(): told.position})
    watch("tamas_conversations_lag_seconds", lambda: {(): told.lag_seconds()})
    watch("tamas_conversations_decisions", lambda: {(): told.decided})
    watch("tamas_conversations_undecided", lambda: {(): told.undecided})
    watch("tamas_conversations_leads", lambda: {(): told.leads})
    try:
        await record.open()
        await keys.open()
        await decider.run(stop, ready)
    finally:
        await record.close()
        await keys.close()
        await asyncio.to_thread(decisions.close)
