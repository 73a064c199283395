"""The decider of conversations as a service: pools, keys, reader, and the loop."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services import database
from services.conversations.belonging import Rules
from services.conversations.lookups import PLACE
from services.conversations.session import Session
from services.conversations.tools import Tools
from services.deciding.leader import Leader
from services.deciding.progress import Progress
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.metrics.meters import watch
from services.record.decisions import Decisions, Lease
from services.record.reader import Reader
from services.settings import Settings


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    started: Callable[[Leader], None] | None = None,
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
    tools, told = Tools(record, Reader(record, ring), ring, decisions), Progress()

    async def session(held: Lease, stop: asyncio.Event) -> None:
        await Session(tools, rules, held, told).run(stop)

    decider = Leader(PLACE.name, record, session, told)
    if started is not None:
        started(decider)
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
