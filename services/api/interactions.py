"""One interaction, the request that it came from, and what was attached to it."""

import json
import re
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from psycopg import AsyncConnection

from channels.contract import InboundRequest
from projections.timeline.queries import Item, interaction
from services.api.access import may
from services.api.answers import as_json
from services.api.problems import Problem, guarded, not_found
from services.api.runtime import Runtime, runtime_of
from services.api.shapes import InteractionDetail, detail
from services.record.raw import opened
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1", tags=["timeline"])

_MEDIA_TYPE: Final = re.compile(r"[a-zA-Z0-9!#$&^_.+-]{1,63}/[a-zA-Z0-9!#$&^_.+-]{1,63}")
_RAW: Final = """
    SELECT raw_id, day, sealed FROM record.raw
    WHERE raw_id = (SELECT raw_id FROM record.facts WHERE position = %s)"""
_HOLDER: Final = """
    SELECT address_id, attachments::text, attachment_names::text FROM interactions
    WHERE tenant = %s AND NOT withdrawn AND attachments IS NOT NULL AND attachments::jsonb @> %s::jsonb LIMIT 1"""
_BYTES: Final = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}


@ROUTER.get(
    "/interactions/{interaction_id}",
    response_model=InteractionDetail,
    responses=guarded(404),
)
async def read_interaction(
    request: Request, interaction_id: UUID, token: Annotated[Token, Depends(may("read_timeline"))]
) -> Response:
    """One interaction."""
    return as_json(detail(await _item(runtime_of(request), token.tenant, interaction_id)))


@ROUTER.get(
    "/interactions/{interaction_id}/raw",
    response_class=Response,
    responses={
        200: {
            "description": "A mail as it is; anything else with its request line and headers.",
            "content": {"message/http": _BYTES, "message/rfc822": _BYTES},
        },
        **guarded(404),
    },
)
async def read_raw(
    request: Request, interaction_id: UUID, token: Annotated[Token, Depends(may("read_raw"))]
) -> Response:
    """The request that it came from, as it came."""
    runtime = runtime_of(request)
    item = await _item(runtime, token.tenant, interaction_id)
    async with runtime.of(token.tenant).connection() as connection:
        row = await (await connection.execute(_RAW, (item.position,))).fetchone()
    cipher = None if row is None else await runtime.ring.existing_day(token.tenant, row[1])
    if row is None or cipher is None:
        raise Problem(404, "The request is not there any more: it was dropped with its day.")
    raw = opened(bytes(row[2]), row[0], cipher)
    return _harmless(_written(raw), "message/rfc822" if raw.method == "MAIL" else "message/http", None)


@ROUTER.get(
    "/attachments/{attachment_id}",
    response_class=Response,
    responses={
        200: {"description": "The file itself.", "content": {"*/*": _BYTES}},
        **guarded(404),
    },
)
async def read_attachment(
    request: Request, attachment_id: UUID, token: Annotated[Token, Depends(may("read_timeline"))]
) -> Response:
    """What was attached to an interaction."""
    runtime = runtime_of(request)
    async with runtime.timeline(token.tenant) as tx:
        address_id, media_type, name = await _held(tx, token.tenant, attachment_id)
    subject = (await runtime.ring.by_ids([address_id]))[address_id]
    content = None if subject is None else await runtime.blobs.get(token.tenant, subject, attachment_id)
    if content is None:
        raise Problem(404, "We hold no copy of this attachment: it was erased, or its provider keeps it.")
    return _harmless(content, media_type, name)


async def _item(runtime: Runtime, tenant: str, interaction_id: UUID) -> Item:
    async with runtime.timeline(tenant) as tx:
        item = await interaction(tx, tenant, interaction_id)
    if item is None:
        raise not_found("interaction")
    return item


async def _held(tx: AsyncConnection, tenant: str, attachment_id: UUID) -> tuple[UUID, str, str | None]:
    wanted = str(attachment_id)
    cursor = await tx.execute(_HOLDER, (tenant, json.dumps([{"attachment_id": wanted}])))
    row = await cursor.fetchone()
    if row is None:
        raise not_found("attachment")
    (held,) = [one for one in json.loads(row[1]) if one["attachment_id"] == wanted][:1]
    names = {one["attachment_id"]: one.get("name") for one in json.loads(row[2] or "[]")}
    return row[0], held["media_type"], names.get(wanted)


def _written(raw: InboundRequest) -> bytes:
    if raw.method == "MAIL":
        return raw.body
    lines = [f"{raw.method} {raw.url} HTTP/1.1", *(f"{name}: {value}" for name, value in raw.headers)]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw.body


def _harmless(content: bytes, media_type: str, name: str | None) -> Response:
    """Strangers sent it: it is to be saved, and never runs as a page of ours."""
    known = media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
    written = "" if name is None else f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    headers = {
        "Content-Type": known,
        "Content-Disposition": f"attachment{written}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, headers=headers)
