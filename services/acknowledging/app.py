"""Acknowledging as a service: who writes to an inbox that wants it so is told once that their message came.

A decider at the record, as those of conversations and dispatch: it reads which conversations were opened, and asks the
answering floor for one automatic message each, which dispatch sends.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from services import database
from services.acknowledging.acknowledger import Acknowledger
from services.acknowledging.session import PLACE, Session, Told
from services.answering.answering import Answering
from services.blobs import BlobStore
from services.deciding.leader import Leader
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.metrics.meters import watch
from services.record.decisions import Decisions, Lease
from services.record.facts_below import FactsBelow
from services.record.reader import Reader
from services.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    started: Callable[[Told], None] | None = None,
    clock: Callable[[], datetime] = _now,
) -> None:
    """Acknowledge until `stop`. `started` is given its figures at once.

    Raises:
        Misconfigured: no sealing key, or one too short.
    """
    vault = Vault(settings.secrets())
    record = database.pool(
        settings.record_url, size=4, role="tamas_decider", options="-c TimeZone=UTC", name="tamas-acknowledging"
    )
    keys = database.pool(settings.keys_url, size=1, name="tamas-acknowledging-keys")
    ring, decisions, told = Ring(keys, vault), Decisions(settings.record_url), Told()
    reader = Reader(record, ring)
    answering = Answering(record, reader, ring, decisions, BlobStore(settings.blob_url))
    acknowledger = Acknowledger(record, reader, FactsBelow(record, reader), answering, clock)

    async def session(held: Lease, stop: asyncio.Event) -> None:
        await Session(acknowledger, decisions, held, told).run(stop)

    leader = Leader(PLACE.name, record, session, told.progress)
    if started is not None:
        started(told)
    _tell(told)
    await record.open()
    await keys.open()
    # Nothing is sealed under a key that was erased.
    hearing = asyncio.create_task(Erasures(keys, ring).hear(), name="acknowledging-erasures")
    try:
        await leader.run(stop, ready)
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await record.close()
        await keys.close()
        await asyncio.to_thread(decisions.close)


def _tell(told: Told) -> None:
    watch("tamas_acknowledging_position", lambda: {(): told.progress.position})
    watch("tamas_acknowledging_leads", lambda: {(): told.progress.leads})
    watch("tamas_acknowledging_conversations", lambda: {(one,): count for one, count in told.outcomes.items()})
