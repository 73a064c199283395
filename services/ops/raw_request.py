"""The request that an event came from, as it came."""

import asyncio
import sys
from typing import Final
from uuid import UUID

from channels.contract import InboundRequest
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.errors import Refused
from services.record.raw import opened
from services.settings import Settings

_RAW: Final = "SELECT day, tenant, sealed FROM record.raw WHERE raw_id = %s AND (%s::text IS NULL OR tenant = %s::text)"


def raw_request(settings: Settings, raw_id: UUID, tenant: str | None) -> InboundRequest:
    """Read and unseal it. Raises `Refused` when it is unknown, another tenant's, or was dropped by policy."""
    return asyncio.run(_read(settings, raw_id, tenant))


async def _read(settings: Settings, raw_id: UUID, tenant: str | None) -> InboundRequest:
    async with pool(settings.record_url, size=1) as record, pool(settings.keys_url, size=1) as keys:
        async with record.connection() as connection:
            row = await (await connection.execute(_RAW, (raw_id, tenant, tenant))).fetchone()
        if row is None:
            raise Refused(f"The request {raw_id} is not there: it is unknown, or was dropped with its day.")
        day, owner, sealed = row
        cipher = await Ring(keys, Vault(settings.secrets())).existing_day(owner, day)
        if cipher is None:
            raise Refused(f"The key of {day} is destroyed: the requests of that day cannot be opened any more.")
        return opened(bytes(sealed), raw_id, cipher)


def write(request: InboundRequest) -> None:
    """To stdout, as `tamas parse` reads it: a mail as it is, anything else with its request line and headers."""
    if request.method != "MAIL":
        lines = [f"{request.method} {request.url} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
        sys.stdout.buffer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    sys.stdout.buffer.write(request.body)
    sys.stdout.buffer.flush()
