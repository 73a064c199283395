"""A tenant's own inboxes: seen, opened, changed; and what their gateways got wrong."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Final, cast
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from psycopg.rows import dict_row

from schemas.setting import InboxAdded
from services.api.access import allows, may
from services.api.answers import Limit, as_json
from services.api.body import documented, json_body
from services.api.idempotency import IdempotencyKey, command_id, once
from services.api.inbox_shapes import (
    InboxBody,
    InboxChangeBody,
    InboxList,
    NewInboxBody,
    RequestList,
    etag,
    inbox,
)
from services.api.problems import Problem, guarded
from services.api.runtime import Runtime, runtime_of
from services.api.settled import inbox_of, register_of
from services.record.reader import event_of
from services.tenancy.store import InboxView, NewInbox
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/inboxes", tags=["inboxes"])
_REQUESTS: Final = """
    SELECT request_id, received_at, result, reason, raw_id, event_ids FROM service.requests
    WHERE inbox_id = %s AND (%s::text IS NULL OR result = %s::text) ORDER BY received_at DESC LIMIT %s"""
_Etag = Annotated[str | None, Header(alias="If-Match", max_length=200, description="`ETag` of what you have seen.")]


@ROUTER.get(
    "",
    response_model=InboxList,
    responses=guarded(),
)
async def list_inboxes(request: Request, token: Annotated[Token, Depends(may("read_inboxes"))]) -> Response:
    """All inboxes."""
    register = await register_of(runtime_of(request), token.tenant)
    found = [inbox(one, disabled=disabled) for _, one, disabled in register.of(token.tenant)]
    return as_json({"items": found})


@ROUTER.post(
    "",
    status_code=201,
    response_model=InboxBody,
    responses=guarded(409, 413, 415, 422),
    openapi_extra=documented(NewInboxBody),
)
async def add_inbox(
    request: Request,
    token: Annotated[Token, Depends(may("change_inboxes"))],
    body: Annotated[NewInboxBody, Depends(json_body(NewInboxBody))],
    key: IdempotencyKey = None,
) -> Response:
    """Open an inbox."""
    runtime = runtime_of(request)
    new = NewInbox(body.channel, body.name, body.address, body.settings, body.secrets)
    if key is None:
        view = await asyncio.to_thread(runtime.tenancy.add_inbox, token.tenant, new)
        return _shown(runtime, view, 201)
    written = orjson.dumps(body.model_dump(), option=orjson.OPT_SORT_KEYS)
    command = command_id(token.tenant, "POST /inboxes", key, written)
    async with once(runtime, token.tenant, command) as answered_at:
        if answered_at is not None:
            return await _first_answer(runtime, token.tenant, answered_at)
        view = await asyncio.to_thread(runtime.tenancy.add_inbox, token.tenant, new, command_id=command)
        return _shown(runtime, view, 201)


@ROUTER.get(
    "/{inbox_id}",
    response_model=InboxBody,
    responses=guarded(404),
)
async def read_inbox(
    request: Request, inbox_id: UUID, token: Annotated[Token, Depends(may("read_inboxes"))]
) -> Response:
    """One inbox."""
    runtime = runtime_of(request)
    found, disabled = await inbox_of(runtime, token.tenant, inbox_id)
    if not allows(token.role, "change_inboxes"):
        body = inbox(found, disabled=disabled)
        return as_json(body, headers={"ETag": etag(body)})
    return _shown(runtime, await asyncio.to_thread(runtime.tenancy.view, token.tenant, inbox_id), 200)


@ROUTER.patch(
    "/{inbox_id}",
    response_model=InboxBody,
    responses=guarded(404, 409, 412, 413, 415, 422),
    openapi_extra=documented(InboxChangeBody),
)
async def change_inbox(
    request: Request,
    inbox_id: UUID,
    token: Annotated[Token, Depends(may("change_inboxes"))],
    body: Annotated[InboxChangeBody, Depends(json_body(InboxChangeBody))],
    if_match: _Etag = None,
) -> Response:
    """Change or close an inbox."""
    runtime = runtime_of(request)
    found, disabled = await inbox_of(runtime, token.tenant, inbox_id)
    if if_match not in (None, "*", etag(inbox(found, disabled=disabled))):
        raise Problem(412, "The inbox was changed since you have seen it: read it again.")
    if body.disabled is False and disabled:
        raise Problem(409, f"The inbox {found.name!r} is disabled; add it again to open it.")
    await asyncio.to_thread(_change, runtime, token.tenant, inbox_id, body)
    return _shown(runtime, await asyncio.to_thread(runtime.tenancy.view, token.tenant, inbox_id), 200)


@ROUTER.get(
    "/{inbox_id}/requests",
    response_model=RequestList,
    responses=guarded(404),
)
async def read_requests(
    request: Request,
    inbox_id: UUID,
    token: Annotated[Token, Depends(may("read_requests"))],
    result: Annotated[
        str | None, Query(pattern="^[a-z_]{1,40}$", description="Only these.", examples=["bad_signature"])
    ] = None,
    limit: Limit = 50,
) -> Response:
    """The last requests that were refused, parked or repeated."""
    runtime = runtime_of(request)
    await inbox_of(runtime, token.tenant, inbox_id)
    async with (
        runtime.of(token.tenant).connection() as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        await cursor.execute(_REQUESTS, (inbox_id, result, result, limit))
        return as_json({"items": await cursor.fetchall()})


def _change(runtime: Runtime, tenant: str, inbox_id: UUID, body: InboxChangeBody) -> None:
    if body.settings or body.secrets:
        grace = timedelta(seconds=body.grace_seconds)
        runtime.tenancy.change_inbox(tenant, inbox_id, body.settings, body.secrets, grace=grace)
    if body.disabled:
        runtime.tenancy.disable(tenant, inbox_id)


async def _first_answer(runtime: Runtime, tenant: str, position: int) -> Response:
    (row,) = await runtime.reader(tenant).read(position - 1, 1, topics=["settings"])
    added = cast("InboxAdded", event_of(row).fact)
    return _shown(runtime, await asyncio.to_thread(runtime.tenancy.view, tenant, added.inbox_id), 201)


def _shown(runtime: Runtime, view: InboxView, status: int) -> Response:
    body: dict[str, Any] = inbox(view.inbox, disabled=view.disabled, key=view.key, public_url=runtime.public_url())
    headers = {"ETag": etag(body)}
    if status == 201:  # noqa: PLR2004 - Created
        headers["Location"] = f"/api/v1/inboxes/{view.inbox.inbox_id}"
    return as_json(body, status=status, headers=headers)
