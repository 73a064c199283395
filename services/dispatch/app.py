"""Dispatch as a service: pools, keys, inboxes, wires, and the loop."""

import asyncio
import random
from collections.abc import Callable

from channels.sending import Wires
from services import database
from services.blobs import BlobStore
from services.deciding.leader import Leader
from services.deciding.progress import Progress
from services.dispatch.composing import Composer
from services.dispatch.exits import Exits, Makers
from services.dispatch.falling_back import NextWays
from services.dispatch.flights import Flights
from services.dispatch.session import Session
from services.dispatch.table import PLACE
from services.dispatch.tools import Tools
from services.dispatch.watching import watched
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.decisions import Decisions, Lease
from services.record.reader import Reader
from services.settings import Settings
from services.tenancy.directory import Directory
from services.tenancy.fresh import keep_fresh


async def run_with(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    makers: Makers,
    wires: Wires,
    started: Callable[[Leader], None] | None = None,
) -> None:
    """Dispatch until `stop`. `makers` make a sender of an inbox's settings; `started` is given the leader at once.

    Raises:
        Misconfigured: no sealing key, or one too short.
    """
    vault = Vault(settings.secrets())
    record = database.pool(
        settings.record_url, size=3, role="tamas_decider", options="-c TimeZone=UTC", name="tamas-dispatch"
    )
    keys = database.pool(settings.keys_url, size=2, name="tamas-dispatch-keys")
    ring, decisions = Ring(keys, vault), Decisions(settings.record_url)
    directory = Directory(record, keys, vault)
    exits = Exits(directory, keys, vault, makers, settings.public_url_for(settings.http_listen))
    reader, flights = Reader(record, ring), Flights(wires, random.random)
    next_ways = NextWays(record, reader, ring, exits)
    composer = Composer(ring, BlobStore(settings.blob_url))
    tools = Tools(record, reader, decisions, exits, flights, composer, next_ways, lambda slug: _zone(directory, slug))
    told = Progress()

    async def session(held: Lease, stop: asyncio.Event) -> None:
        await Session(tools, held, told).run(stop)

    leader = Leader(PLACE.name, record, session, told)
    if started is not None:
        started(leader)
    await record.open()
    await keys.open()
    beside = [
        asyncio.create_task(keep_fresh(directory, Erasures(keys, ring)), name="dispatch-inboxes"),
        asyncio.create_task(watched(tools, told, stop), name="dispatch-watched"),
    ]
    try:
        await directory.refresh()
        await leader.run(stop, ready)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await flights.end(0)
        await record.close()
        await keys.close()
        await asyncio.to_thread(decisions.close)


def _zone(directory: Directory, slug: str) -> str:
    tenant = directory.tenant(slug)
    return "UTC" if tenant is None else tenant.time_zone
