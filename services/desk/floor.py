"""What every page stands on: pools, keys, sessions, decisions, answers, and how far the read models are."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final, cast
from uuid import UUID

from starlette.requests import Request

from services import database
from services.answering.answering import Answering
from services.blobs import BlobStore
from services.desk.hub import Hub
from services.desk.live_rows import LiveRows
from services.desk.names import Names
from services.desk.rows import Rows
from services.desk.sessions import Sessions
from services.desk.views import Views
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.limits import Limits
from services.record.decisions import Decisions
from services.record.reader import Reader
from services.settings import Settings
from services.tenancy.directory import Directory
from services.tenancy.fresh import keep_fresh

_OPTIONS: Final = "-c TimeZone=UTC -c statement_timeout=5000"
_PATIENCE_SECONDS: Final = 6.0


class Floor:
    """One per process."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected before `opened`. Raises `Misconfigured`."""
        vault = Vault(settings.secrets())
        self.settings: Final = settings
        self.record: Final = database.pool(
            settings.record_url, size=6, role="tamas_desk", options=_OPTIONS, name="tamas-desk",
            patience_seconds=_PATIENCE_SECONDS,
        )  # fmt: skip
        self._view_pool: Final = database.pool(
            settings.views_url, size=6, role="tamas_views", options=_OPTIONS, name="tamas-desk-views",
            patience_seconds=_PATIENCE_SECONDS,
        )  # fmt: skip
        self._keys: Final = database.pool(
            settings.keys_url, size=3, name="tamas-desk-keys", patience_seconds=_PATIENCE_SECONDS
        )
        self.ring: Final = Ring(self._keys, vault)
        self.reader: Final = Reader(self.record, self.ring)
        self.blobs: Final = BlobStore(settings.blob_url)
        self.directory: Final = Directory(self.record, self._keys, vault)
        self.decisions: Final = Decisions(settings.record_url, size=4)
        self.answering: Final = Answering(self.record, self.reader, self.ring, self.decisions, self.blobs)
        self.sessions: Final = Sessions(self.record)
        self.names: Final = Names(self.record)
        self.logins: Final = Limits(1 / 30, 5)
        self.strangers: Final = Limits(1 / 3, 20)
        self.streams: Final[dict[bytes, int]] = {}
        self.views: Final = Views(self._view_pool)
        self.rows: Final = Rows(self.views, self.names)
        self.hub: Final = Hub(self.reader, self.views.reached, LiveRows(self.rows))

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Connect in the background, so that a database that is away is a sentence on the page."""
        pools = (self.record, self._view_pool, self._keys)
        for pool in pools:
            await pool.open()
        tasks = [
            asyncio.create_task(self.hub.run()),
            asyncio.create_task(keep_fresh(self.directory, Erasures(self._keys, self.ring))),
        ]
        try:
            yield
        finally:
            self.hub.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for pool in pools:
                await pool.close()
            await asyncio.to_thread(self.decisions.close)

    def region(self, tenant: str) -> str:
        """As its people write numbers: ISO 3166 in two letters."""
        return next((inbox.region for inbox in self.directory.all() if inbox.tenant == tenant), "ZZ")

    def inbox_name(self, inbox_id: UUID | None) -> str | None:
        """As operators named it."""
        found = None if inbox_id is None else self.directory.by_id(inbox_id)
        return None if found is None else found.name


def floor_of(request: Request) -> Floor:
    """The floor of the application that answers."""
    return cast("Floor", request.app.state.floor)
