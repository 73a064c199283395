"""The relay as a service: pools, keys, reader, and the loop."""

import asyncio
from collections.abc import Callable

from services import database
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.metrics.meters import watch
from services.record.reader import Reader
from services.relay.relay import Relay
from services.settings import Settings


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    started: Callable[[Relay], None] | None = None,
) -> None:
    """Publish until `stop`. `started` is given the relay at once, for its status.

    Raises:
        Misconfigured: no sealing key, or one too short.
    """
    vault = Vault(settings.secrets())
    record = database.pool(
        settings.record_url, size=3, role="tamas_relay", options="-c TimeZone=UTC", name="tamas-relay"
    )
    keys = database.pool(settings.keys_url, size=1, name="tamas-relay-keys")
    relay = Relay(settings, record, Reader(record, Ring(keys, vault)))
    if started is not None:
        started(relay)
    watch("tamas_relay_published", lambda: {(): relay.published})
    watch("tamas_relay_age_seconds", lambda: {(): relay.status().age_seconds})
    watch("tamas_relay_position", lambda: {(): relay.status().position})
    watch("tamas_relay_working", lambda: {(): relay.status().ok})
    try:
        await record.open()
        await keys.open()
        await relay.run(stop, ready)
    finally:
        await record.close()
        await keys.close()
