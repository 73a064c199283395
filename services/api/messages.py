"""Answers to customers: where one would go, having it sent, what became of it, and what may still be done about it."""

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.answering.asking import NoWay
from services.api.access import may
from services.api.answers import as_json
from services.api.body import documented, json_body
from services.api.commands import Recorded, carried_out, found
from services.api.idempotency import IdempotencyKey
from services.api.message_shapes import (
    MOST_BYTES,
    AskedShown,
    JudgedBody,
    MessageBody,
    MessageShown,
    ResolutionShown,
    asked_shown,
    message_shown,
    resolution_shown,
)
from services.api.problems import Problem, guarded, not_found
from services.api.runtime import runtime_of
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1", tags=["conversations"])
_DRY_RUN: Final = {200: {"model": ResolutionShown, "description": "With `dry_run`: where it would go."}}


@ROUTER.post(
    "/conversations/{conversation_id}/messages",
    status_code=202,
    response_model=AskedShown,
    responses={**_DRY_RUN, **guarded(404, 409, 413, 415, 422)},
    openapi_extra=documented(MessageBody),
)
async def ask(
    *,
    request: Request,
    conversation_id: UUID,
    token: Annotated[Token, Depends(may("answer"))],
    body: Annotated[MessageBody, Depends(json_body(MessageBody, MOST_BYTES))],
    dry_run: Annotated[bool, Query(description="Only tell where it would go.")] = False,
    key: IdempotencyKey = None,
) -> Response:
    """Answer a conversation, on the way that the customer prefers; answered once it is recorded, before it is sent."""
    answering, draft, now = runtime_of(request).answering(token.tenant), body.draft(), datetime.now(UTC)
    if dry_run:
        with found("conversation"):
            return as_json(resolution_shown(await answering.preview(token.tenant, conversation_id, draft, now)))
    async with carried_out(request, token, key, body) as command_id:
        with found("conversation"):
            try:
                asked = await answering.ask(
                    *(token.tenant, conversation_id, draft),
                    command_id=command_id,
                    now=now,
                    agent_id=token.token_id,
                    seen=body.seen,
                )
            except NoWay as refused:
                ways = [(one.channel, one.why) for one in refused.resolution.rejected]
                raise Problem(409, str(refused), code="no_way", errors=ways) from refused
    return as_json(asked_shown(asked), status=202, headers={"Location": f"/api/v1/messages/{asked.message_id}"})


@ROUTER.get("/messages/{message_id}", response_model=MessageShown, responses=guarded(404))
async def read_message(
    request: Request, message_id: UUID, token: Annotated[Token, Depends(may("read_timeline"))]
) -> Response:
    """A message of ours: where it goes and why, every attempt, and what its provider said."""
    message = await runtime_of(request).answering(token.tenant).message(token.tenant, message_id)
    if message is None:
        raise not_found("message")
    return as_json(message_shown(message))


@ROUTER.post(
    "/messages/{message_id}/withdraw", status_code=202, response_model=Recorded, responses=guarded(404, 409, 422)
)
async def withdraw(
    request: Request,
    message_id: UUID,
    token: Annotated[Token, Depends(may("answer"))],
    key: IdempotencyKey = None,
) -> Response:
    """Take it back before anything is sent: the customer waits again."""
    answering = runtime_of(request).answering(token.tenant)
    async with carried_out(request, token, key) as command_id:
        with found("message"):
            position = await answering.withdraw(
                token.tenant, message_id, command_id=command_id, agent_id=token.token_id
            )
    return as_json({"position": position}, status=202)


@ROUTER.post(
    "/messages/{message_id}/judge",
    status_code=202,
    response_model=Recorded,
    responses=guarded(404, 409, 413, 415, 422),
    openapi_extra=documented(JudgedBody),
)
async def judge(
    request: Request,
    message_id: UUID,
    token: Annotated[Token, Depends(may("answer"))],
    body: Annotated[JudgedBody, Depends(json_body(JudgedBody))],
    key: IdempotencyKey = None,
) -> Response:
    """Settle a doubt: it arrived, or it is to be sent again."""
    answering = runtime_of(request).answering(token.tenant)
    async with carried_out(request, token, key, body) as command_id:
        with found("message"):
            position = await answering.judge(
                token.tenant, message_id, body.judged, command_id=command_id, agent_id=token.token_id
            )
    return as_json({"position": position}, status=202)
