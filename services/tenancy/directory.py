"""Every open door in memory: which inbox a request or a mail is for. Serves on while the database is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from channels.contract import Channel, Origin
from channels.phone import mailbox
from services.keys.vault import Unsealable, Vault
from services.record.errors import Refused
from services.tenancy.doors import DOORS, digest
from services.tenancy.handlers import build, offered
from services.tenancy.inbox import OpenInbox
from services.tenancy.register import SETTLED_AFTER, Register
from services.tenancy.secrets import SECRETS, SecretRow, opened
from services.tenancy.tenant import Tenant

_log = structlog.get_logger()

_ON_A_MISS_SECONDS: Final = 0.1
_EVERYTHING_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Inbox:
    """An inbox at work; `settings` are the clear ones, `handler` its channel with all of them and its secrets."""

    tenant: str
    region: str
    language: str
    inbox_id: UUID
    channel: str
    name: str
    address: str
    natural_name: str
    settings: dict[str, str]
    handler: Channel
    disabled: bool

    @property
    def origin(self) -> Origin:
        """What event ids derive from."""
        return Origin(self.tenant, self.natural_name)


class Directory:
    """Finds inboxes. One per process, for tasks of one loop. `away` says that the last refresh reached no database."""

    def __init__(self, record: AsyncConnectionPool, keys: AsyncConnectionPool, vault: Vault) -> None:
        """Pools to RECORD_URL and KEYS_URL in autocommit; nothing is read before the first `refresh`."""
        self._record: Final = record
        self._keys: Final = keys
        self._vault: Final = vault
        self._refreshing: Final = asyncio.Lock()
        self._register = Register()
        self._doors: dict[bytes, tuple[UUID, datetime | None]] = {}
        self._secrets: dict[UUID, list[SecretRow]] = {}
        self._inboxes: dict[UUID, Inbox] = {}
        self._by_address: dict[tuple[str, str], Inbox] = {}
        self._made_of: dict[UUID, tuple[object, ...]] = {}
        self._started_at = self._everything_at = float("-inf")
        self.away = True

    def find(self, channel: str, key: str) -> Inbox | None:
        """The inbox behind a secret path; never waits. A disabled one is found and says so."""
        inbox_id, valid_until = self._doors.get(digest(key), (None, None))
        if inbox_id is None or (valid_until is not None and valid_until <= datetime.now(UTC)):
            return None
        inbox = self._inboxes.get(inbox_id)
        return inbox if inbox is not None and inbox.channel == channel else None

    def is_broken(self, key: str) -> bool:
        """Whether an inbox is behind this path that does not work: a fault of ours, and not of who calls."""
        inbox_id, _ = self._doors.get(digest(key), (None, None))
        return inbox_id is not None and inbox_id not in self._inboxes

    def by_address(self, channel: str, address: str) -> Inbox | None:
        """The open inbox that has this address; for mail also `help+anything@`. Never waits."""
        return next(
            (
                inbox
                for spelling in _spellings(channel, address)
                if (inbox := self._by_address.get((channel, spelling)))
            ),
            None,
        )

    def by_id(self, inbox_id: UUID) -> Inbox | None:
        """Any inbox, disabled ones too. Never waits."""
        return self._inboxes.get(inbox_id)

    def tenant(self, slug: str) -> Tenant | None:
        """What a tenant settled. Never waits."""
        return self._register.tenants.get(slug)

    def all(self) -> Collection[Inbox]:
        """Every inbox that works, disabled ones too."""
        return self._inboxes.values()

    async def lookup(self, channel: str, key: str) -> Inbox | None:
        """As `find`; what is not in memory is looked for once more in the database."""
        return self.find(channel, key) or await self._again(lambda: self.find(channel, key))

    async def lookup_address(self, channel: str, address: str) -> Inbox | None:
        """As `by_address`; what is not in memory is looked for once more in the database."""
        return self.by_address(channel, address) or await self._again(lambda: self.by_address(channel, address))

    async def lookup_id(self, inbox_id: UUID) -> Inbox | None:
        """As `by_id`; what is not in memory is looked for once more in the database."""
        return self.by_id(inbox_id) or await self._again(lambda: self.by_id(inbox_id))

    async def refresh(self) -> bool:
        """Take in what changed. False when the database could not be reached: what is in memory goes on serving."""
        async with self._refreshing:
            return await self._refresh()

    async def _again(self, look: Callable[[], Inbox | None]) -> Inbox | None:
        # Misses wait for one refresh that began after they did; together they make at most ten a second.
        asked_at = time.monotonic()
        if self.away and asked_at - self._started_at < 1:
            return None
        await asyncio.sleep(self._started_at + _ON_A_MISS_SECONDS - asked_at)
        async with self._refreshing:
            if self._started_at < asked_at:
                await self._refresh()
        return look()

    async def _refresh(self) -> bool:
        self._started_at = time.monotonic()
        reached = await self._reached(self._take_in)
        if self.away == reached:
            _log.info("directory.reached") if reached else _log.warning("directory.away")
        self.away = not reached
        return reached

    async def _reached(self, read: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await read()
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            _log.debug("directory.unreachable", error=type(error).__name__)
            return False
        return True

    async def _take_in(self) -> None:
        async with self._record.connection() as connection:
            cursor = await connection.execute(SETTLED_AFTER, (self._register.position,))
            rows = await cursor.fetchall()
        everything = time.monotonic() - self._everything_at > _EVERYTHING_SECONDS
        if not rows and not everything:
            return
        # On a copy, so that a failure between here and the keys leaves nothing half known.
        register = Register(self._register.position, self._register.tenants.copy(), self._register.inboxes.copy())
        touched = {inbox_id for row in rows if (inbox_id := register.apply(*row)) is not None}
        inbox_ids = set(register.inboxes) if everything else touched
        await self._read_keys(inbox_ids)
        self._register = register
        self._rebuild(inbox_ids)
        if everything:
            self._everything_at = time.monotonic()

    async def _read_keys(self, inbox_ids: set[UUID]) -> None:
        wanted = (list(inbox_ids),)
        async with self._keys.connection() as connection, connection.pipeline():
            doors = await connection.execute(DOORS, wanted)
            secrets = await connection.execute(SECRETS, wanted)
            door_rows, secret_rows = await doors.fetchall(), await secrets.fetchall()
        kept = {door: found for door, found in self._doors.items() if found[0] not in inbox_ids}
        self._doors = kept | {bytes(door): (inbox_id, valid_until) for door, inbox_id, valid_until in door_rows}
        for inbox_id in inbox_ids:
            self._secrets[inbox_id] = []
        for inbox_id, name, version, sealed in secret_rows:
            self._secrets[inbox_id].append((inbox_id, name, version, bytes(sealed)))

    def _rebuild(self, inbox_ids: set[UUID]) -> None:
        for inbox_id in inbox_ids:
            owner, inbox, disabled = self._register.inbox(None, inbox_id) or (None, None, True)
            tenant = self._register.tenants.get(owner or "")
            if inbox is None or tenant is None:
                continue
            made_of = (tenant, inbox, disabled, self._secrets[inbox_id])
            if self._made_of.get(inbox_id) == made_of:
                continue
            self._made_of[inbox_id] = made_of
            try:
                self._inboxes[inbox_id] = _at_work(tenant, inbox, disabled, self._vault, self._secrets[inbox_id])
            except (Refused, Unsealable) as error:
                # What it had before may hold a secret that was taken away: closed is safer.
                self._inboxes.pop(inbox_id, None)
                _log.error("inbox.broken", tenant=tenant.slug, inbox_id=str(inbox_id), reason=str(error))
        self._by_address = {
            (inbox.channel, inbox.address): inbox for inbox in self._inboxes.values() if not inbox.disabled
        }


def _at_work(tenant: Tenant, inbox: OpenInbox, disabled: bool, vault: Vault, rows: list[SecretRow]) -> Inbox:
    newest, previous = opened(vault, rows)
    handler = build(inbox.channel, {**inbox.settings, **newest}, {**offered(tenant, inbox.address), **previous})
    return Inbox(
        tenant=tenant.slug,
        region=tenant.region,
        language=tenant.language,
        inbox_id=inbox.inbox_id,
        channel=inbox.channel,
        name=inbox.name,
        address=inbox.address,
        natural_name=inbox.natural_name,
        settings=dict(inbox.settings),
        handler=handler,
        disabled=disabled,
    )


def _spellings(channel: str, address: str) -> tuple[str, ...]:
    if not channel.startswith("email/"):
        return (address,)
    exact = mailbox(address) or address.lower()
    local, _, domain = exact.rpartition("@")
    return (exact, f"{local.partition('+')[0]}@{domain}")
