"""`tamas event`."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final

import orjson
import typer

from schemas.reference import reference
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.event_lookup import find_event
from services.ops.options import Json, TenantName, with_database
from services.ops.output import emit_one
from services.ops.raw_request import raw_request, write
from services.record.errors import Refused
from services.record.reader import Reader, Row
from services.settings import Settings


def event(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its reference such as 7K3M-2QXD.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The request that it came from, as it came.")] = False,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Show one event as it is published."""
    settings = with_database()
    row = asyncio.run(_found(settings, event_id, tenant))
    if raw:
        if row.raw_id is None:
            raise Refused(f"The event {event_id} is a decision of ours: no request led to it.")
        write(raw_request(settings, row.raw_id, row.tenant))
        return
    shown = _shown(row)
    if not as_json:
        shown["fact"] = orjson.dumps(shown["fact"], option=orjson.OPT_INDENT_2).decode()
    emit_one(shown, as_json=as_json)


async def _found(settings: Settings, event_id: str, tenant: str | None) -> Row:
    # Two connections: the finder's own, and the reader's beside it.
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=1) as keys:
        return await find_event(record, Reader(record, Ring(keys, Vault(settings.secrets()))), event_id, tenant)


def _shown(row: Row) -> dict[str, object]:
    return {
        "event_id": row.event_id,
        "reference": reference(row.event_id),
        "revision": row.revision,
        "position": row.position,
        "tenant": row.tenant,
        "topic": row.topic,
        "type": row.type,
        "version": row.version,
        "subject": row.subject,
        "inbox_id": row.inbox_id,
        "raw_id": row.raw_id,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
        "correlation_id": row.correlation_id,
        "causation_id": row.causation_id,
        "erased": row.erased,
        "fact": orjson.loads(row.payload),
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"event": event}
