"""A recorded request made ready for one of our inboxes: its URL, its secrets, its signature."""

import base64
import os
from datetime import UTC, datetime
from typing import Final

from channels.contract import Channel, Origin
from services.ops.front_door import public_url
from services.ops.request_file import Recorded
from services.ops.signers import SIGNERS, Outgoing, Stamp, signed
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.doors import door_url
from services.tenancy.handlers import build, offered
from services.tenancy.store import InboxView, Tenancy

# Made anew by whoever sends it on its way.
_HOP_BY_HOP: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect", "keep-alive"}
)


def prepare(settings: Settings, tenancy: Tenancy, view: InboxView, recorded: Recorded, *, forge: bool) -> Outgoing:
    """The request at the inbox's own URL, signed where its provider signs; with a wrong secret when forged.

    Raises:
        Refused: the inbox has no key, or its channel does not take its settings.
    """
    inbox = view.inbox
    door = door_url(public_url(settings), inbox.channel, view.key, inbox.address)
    if door is None:
        raise Refused(f"The inbox {inbox.name!r} has no key: tamas inbox rotate {inbox.inbox_id}")
    headers = tuple(pair for pair in recorded.headers if pair[0] not in _HOP_BY_HOP)
    request = Outgoing(recorded.method, door + recorded.suffix(), headers, recorded.body)
    if inbox.channel not in SIGNERS:
        return request
    stamp = Stamp(Origin(view.tenant, inbox.natural_name), datetime.now(UTC), _nonce())
    return signed(inbox.channel, _handler(tenancy, view, forge=forge), request, stamp)


def _handler(tenancy: Tenancy, view: InboxView, *, forge: bool) -> Channel:
    secrets = tenancy.secrets(view.inbox.inbox_id)
    if forge:
        secrets = {name: f"not-{value}" for name, value in secrets.items()}
    tenant = tenancy.register().tenants[view.tenant]
    return build(view.inbox.channel, {**view.inbox.settings, **secrets}, offered(tenant, view.inbox.address))


def _nonce() -> str:
    return base64.urlsafe_b64encode(os.urandom(18)).decode()
