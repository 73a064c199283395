"""The inboxes that answers leave by: each with its sender, made of settings and secrets, and where receipts come to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from channels.capabilities import CAPABILITIES
from channels.sending import Sender
from services.dispatch.pacing import RATES
from services.keys.vault import Vault
from services.record.errors import Refused
from services.tenancy.directory import Directory, Inbox
from services.tenancy.doors import current_door, door_url
from services.tenancy.handlers import made, offered
from services.tenancy.pacing import paced
from services.tenancy.secrets import SECRETS, opened

Makers = Mapping[str, Callable[[Mapping[str, str]], Sender]]
_FALLBACK_MINUTES: Final = 10.0
_SLOWEST: Final = 1.0
_LASTS_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Exit:
    """An inbox that can send. `status_url` is where its provider reports to; "" where it has no door."""

    inbox: Inbox
    sender: Sender
    status_url: str


class Exits:
    """Finds them. One per process."""

    def __init__(
        self, directory: Directory, keys: AsyncConnectionPool, vault: Vault, makers: Makers, public_url: str
    ) -> None:
        """`makers` by channel, from the settings of an inbox; `keys` is a pool to KEYS_URL."""
        self._directory: Final = directory
        self._keys: Final = keys
        self._vault: Final = vault
        self._makers: Final = makers
        self._public_url: Final = public_url
        self._exits: Final[dict[UUID, tuple[float, Exit]]] = {}

    async def find(self, tenant: str, inbox_id: UUID) -> Exit:
        """The exit, made anew when its settings changed.

        Raises:
            Refused: there is none, it is closed, or it cannot send; in a sentence for an agent.
            psycopg.OperationalError: the keys cannot be reached.
        """
        inbox = await self._directory.lookup_id(inbox_id)
        if inbox is None or inbox.tenant != tenant:
            raise Refused("The inbox that it should leave by is not there, or does not work.")
        if inbox.disabled:
            raise Refused(f"The inbox {inbox.name!r} is closed.")
        made_at, known = self._exits.get(inbox_id, (0.0, None))
        now = time.monotonic()
        # A door that was given a new key does not make its inbox another one.
        if known is None or known.inbox is not inbox or now - made_at > _LASTS_SECONDS:
            known = await self._made(inbox)
            self._exits[inbox_id] = now, known
        return known

    def patience(self, inbox_id: UUID) -> timedelta | None:
        """How long to wait for a delivery that the provider would report; None where nothing is reported."""
        inbox = self._directory.by_id(inbox_id)
        able = None if inbox is None else CAPABILITIES.get(inbox.channel)
        if inbox is None or able is None or "delivered" not in able.receipts:
            return None
        given = paced(inbox.settings).fallback_minutes
        minutes = _FALLBACK_MINUTES if given is None else given
        return timedelta(minutes=minutes) if minutes > 0 else None

    def rate(self, inbox_id: UUID) -> float:
        """Messages a second, as it is set or as is usual for its channel."""
        inbox = self._directory.by_id(inbox_id)
        if inbox is None:
            return _SLOWEST
        return paced(inbox.settings).rate_per_second or RATES.get(inbox.channel.partition("/")[0], _SLOWEST)

    async def _made(self, inbox: Inbox) -> Exit:
        make, tenant = self._makers.get(inbox.channel), self._directory.tenant(inbox.tenant)
        if make is None or tenant is None:
            raise Refused(f"Nothing can be sent by {inbox.channel}.")
        async with self._keys.connection() as connection:
            secrets = await (await connection.execute(SECRETS, ([inbox.inbox_id],))).fetchall()
            key = await current_door(connection, self._vault, inbox.inbox_id)
        newest, _ = opened(self._vault, [(*row[:3], bytes(row[3])) for row in secrets])
        sender = made(inbox.channel, make, {**inbox.settings, **newest}, offered(tenant, inbox.address))
        url = door_url(self._public_url, inbox.channel, key, inbox.address)
        is_hook = url is not None and "/hooks/" in url
        return Exit(inbox, sender, f"{url}/status" if is_hook else "")
