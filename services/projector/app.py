"""The projector as a service: pools, keys, reader, and the loop."""

import asyncio
from collections.abc import Callable

from projections.contract import Projection
from services import database
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.projector.projector import DEFAULT_SET, Projector
from services.record.reader import Reader
from services.settings import Settings


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    name: str = DEFAULT_SET,
    projections: tuple[Projection, ...] | None = None,
    started: Callable[[Projector], None] | None = None,
) -> None:
    """Fill the read models of the set `name` until `stop`: those of the registry, or the given ones.

    `started` is given the projector at once, for its status.

    Raises:
        Misconfigured: no sealing key, or a topic with more partitions than the settings say.
        TooMuchPoison: a flood of records could not be processed.
        Superseded: a newer Tamas has filled a newer version of a read model.
    """
    vault = Vault(settings.secrets())
    options = "-c TimeZone=UTC"
    # Rows and position are lost together or not at all: then the same events are read again.
    quick = f"{options} -c synchronous_commit=off"
    views = database.pool(settings.views_url, size=4, options=quick, name="tamas-projector")
    record = database.pool(
        settings.record_url, size=3, role="tamas_relay", options=options, name="tamas-projector-record"
    )
    keys = database.pool(settings.keys_url, size=1, name="tamas-projector-keys")
    projector = Projector(
        settings, views, record, Reader(record, Ring(keys, vault)), stop, name=name, projections=projections
    )
    projector.tell()
    if started is not None:
        started(projector)
    try:
        for pool in (views, record, keys):
            await pool.open()
        await projector.run(ready)
    finally:
        for pool in (views, record, keys):
            await pool.close()


async def run_search(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """The set that is searched, as a role of its own. Raises as `run`."""
    await run(settings, stop, ready, name="search")
