"""The answering floor for commands that work on the database itself."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from services.answering.answering import Answering
from services.blobs import BlobStore
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.decisions import Decisions
from services.record.reader import Reader
from services.settings import Settings

_PARTS: Final = ("resolution", "attempts", "receipts")


@contextlib.asynccontextmanager
async def answering(settings: Settings) -> AsyncGenerator[Answering]:
    """Of all tenants. Raises `Misconfigured`."""
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=1) as keys:
        ring, decisions = Ring(keys, Vault(settings.secrets())), Decisions(settings.record_url, size=1)
        try:
            yield Answering(record, Reader(record, ring), ring, decisions, BlobStore(settings.blob_url))
        finally:
            await asyncio.to_thread(decisions.close)


def lines_of(row: Mapping[str, Any]) -> dict[str, object]:
    """A message as the API tells it, for people: where it goes and why, then every way that it does not take."""
    told = {name: value for name, value in row.items() if name not in _PARTS and value not in (None, False)}
    way: Mapping[str, Any] = row["resolution"] or {}
    told |= {name: way[name] for name in ("channel", "address") if way.get(name)}
    told["because"] = way.get("why")
    if way.get("hold_why"):
        told["held"] = way["hold_why"]
    for one in way.get("rejected", ()):
        named = f"not by {one['channel']}" + (f" to {one['address']}" if one["address"] else "")
        # Two inboxes of one channel may both reach it.
        told[named] = f"{told[named]} {one['why']}" if named in told else one["why"]
    for one in row.get("attempts", ()):
        told[f"attempt {one['attempt']}"] = _attempt(one)
    for place, one in enumerate(row.get("receipts", ()), 1):
        code = f" ({one['code']})" if one["code"] else ""
        told[f"receipt {place}"] = f"attempt {one['attempt']} {one['state']}{code} at {one['at']}"
    return told


def _attempt(one: Mapping[str, Any]) -> str:
    words = [f"{one['outcome'].replace('_', ' ')} by {one['channel']} at {one['ended_at'] or one['started_at']}"]
    if one["why"]:
        words.append(one["why"])
    if one["retry_at"]:
        words.append(f"again at {one['retry_at']}")
    return "; ".join(words)
