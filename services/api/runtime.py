"""What every operation stands on: pools in the roles of the API, keys, tokens, settings, and how far things are."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from typing import Final, cast
from uuid import UUID

from fastapi import Request
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from projections.generation import reading
from projections.queues.projection import QUEUES
from projections.search.projection import SEARCH
from projections.timeline.projection import TIMELINE
from services import database
from services.answering.answering import Answering
from services.api.progress import Progress
from services.api.tail import Tail
from services.blobs import BlobStore
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.limits import Limits
from services.record.decisions import Decisions
from services.record.reader import Reader
from services.settings import Settings
from services.tenancy.store import Tenancy
from services.tenancy.tokens import Authenticator

_OPTIONS: Final = "-c TimeZone=UTC -c statement_timeout=5000"
_PATIENCE_SECONDS: Final = 6.0
"""More than the server's own."""
REQUESTS_PER_SECOND: Final = 1000
STRANGERS_PER_SECOND: Final = 50
_COMMANDS_AT_ONCE: Final = 3
"""Each holds one connection to the record and needs another: fewer than there are."""
_REMEMBERED_SECONDS: Final = 1.0
_REMEMBERED: Final = 10_000


class OneTenant:
    """The record as one tenant sees it: each connection comes in a transaction that is narrowed to its rows."""

    def __init__(self, pool: AsyncConnectionPool, tenant: str) -> None:
        """`pool` is to RECORD_URL in the role tamas_api."""
        self._pool: Final = pool
        self._tenant: Final = tenant

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[AsyncConnection]:
        """A connection in its transaction."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT set_config('tamas.tenant', %s, true)", (self._tenant,))
            yield connection


class Runtime:
    """One per process. `closing` is set when streams should end."""

    def __init__(self, settings: Settings, limits: Limits | None = None) -> None:
        """Nothing is connected before `opened`. Raises `Misconfigured`."""
        self._settings: Final = settings
        self._public_url = settings.public_url
        self._address_ids: Final[dict[tuple[str, str], tuple[UUID, float]]] = {}
        vault = Vault(settings.secrets())
        self.record_url: Final = settings.record_url
        self.record: Final = database.pool(
            settings.record_url,
            size=6,
            role="tamas_api",
            options=_OPTIONS,
            name="tamas-api",
            patience_seconds=_PATIENCE_SECONDS,
        )
        self._views: Final = database.pool(
            settings.views_url,
            size=6,
            role="tamas_views",
            options=_OPTIONS,
            name="tamas-api-views",
            patience_seconds=_PATIENCE_SECONDS,
        )
        self._keys: Final = database.pool(
            settings.keys_url, size=3, name="tamas-api-keys", patience_seconds=_PATIENCE_SECONDS
        )
        self.ring: Final = Ring(self._keys, vault)
        self.blobs: Final = BlobStore(settings.blob_url)
        self.tenancy: Final = Tenancy(settings)
        self.decisions: Final = Decisions(settings.record_url)
        self.commands: Final = asyncio.Semaphore(_COMMANDS_AT_ONCE)
        self.authenticator: Final = Authenticator(self.record)
        self.limits: Final = limits or Limits(REQUESTS_PER_SECOND, 2 * REQUESTS_PER_SECOND)
        self.strangers: Final = Limits(STRANGERS_PER_SECOND, 2 * STRANGERS_PER_SECOND)
        self.tail: Final = Tail(self.record)
        self.progress: Final = Progress(self.record, self._views)
        self.search_progress: Final = Progress(self.record, self._views, "search")
        self.closing: Final = asyncio.Event()
        self.streams: Final[dict[UUID, int]] = {}
        self.regions: Final[dict[str, str]] = {}

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Connect in the background, so that a database that is away is a 503 and no failure to start."""
        pools = (self.record, self._views, self._keys)
        for pool in pools:
            await pool.open()
        tasks = [asyncio.create_task(self.tail.run()), asyncio.create_task(Erasures(self._keys, self.ring).hear())]
        try:
            yield
        finally:
            self.closing.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for pool in pools:
                await pool.close()
            await asyncio.to_thread(self.tenancy.close)
            await asyncio.to_thread(self.decisions.close)

    def of(self, tenant: str) -> OneTenant:
        """The record, this tenant's rows only."""
        return OneTenant(self.record, tenant)

    def reader(self, tenant: str) -> Reader:
        """Events of this tenant only."""
        # The reader asks nothing of a pool but `connection`.
        return Reader(cast("AsyncConnectionPool", self.of(tenant)), self.ring)

    def answering(self, tenant: str) -> Answering:
        """Answers of this tenant only."""
        # Nor does it.
        record = cast("AsyncConnectionPool", self.of(tenant))
        return Answering(record, self.reader(tenant), self.ring, self.decisions, self.blobs)

    @contextlib.asynccontextmanager
    async def timeline(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.timeline.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._views.connection() as connection, reading(connection, TIMELINE, tenant) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def queues(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.queues.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._views.connection() as connection, reading(connection, QUEUES, tenant) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def search(self, tenant: str) -> AsyncGenerator[AsyncConnection]:
        """For the functions of `projections.search.queries`, this tenant's rows only. Raises `NotServed`."""
        async with self._views.connection() as connection, reading(connection, SEARCH, tenant) as tx:
            yield tx

    async def address_id(self, tenant: str, address: str) -> UUID | None:
        """By what an address is known. An erased one is found for a second more; its rows are purged all the same."""
        now = time.monotonic()
        known = self._address_ids.get((tenant, address))
        if known is not None and now - known[1] < _REMEMBERED_SECONDS:
            return known[0]
        found = await self.ring.find(tenant, address)
        if found is None:
            return None
        if len(self._address_ids) >= _REMEMBERED:
            self._address_ids.clear()
        self._address_ids[tenant, address] = found.address_id, now
        return found.address_id

    def public_url(self) -> str:
        """The root of every URL that we give out."""
        self._public_url = self._public_url or self._running_door()
        return self._public_url or f"http://{self._settings.http_listen}"

    def _running_door(self) -> str:
        # The front door may have taken any free port, and is another process.
        path = self._settings.data / "endpoints.json"
        return str(json.loads(path.read_bytes()).get("http", "")).rstrip("/") if path.is_file() else ""


def runtime_of(request: Request) -> Runtime:
    """The runtime of the application that answers."""
    return cast("Runtime", request.app.state.runtime)
