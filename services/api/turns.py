"""Whose a conversation is, and whether it goes on: commands of agents."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.api.access import may
from services.api.answers import as_json
from services.api.commands import Recorded, carried_out, found
from services.api.idempotency import IdempotencyKey
from services.api.problems import guarded
from services.api.runtime import runtime_of
from services.conversations.commands import Asked, Close, Release, Reopen, Take
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/conversations/{conversation_id}", tags=["conversations"])
_ANSWERS: Final[dict[str, Any]] = {
    "status_code": 202,
    "response_model": Recorded,
    "responses": guarded(404, 409, 422),
}
_Answerer = Annotated[Token, Depends(may("answer"))]


@ROUTER.post("/take", **_ANSWERS)
async def take(
    *,
    request: Request,
    conversation_id: UUID,
    token: _Answerer,
    over: Annotated[bool, Query(description="Also when another agent has it.")] = False,
    key: IdempotencyKey = None,
) -> Response:
    """Say that you answer it, so that nobody else does. A token stands for an agent."""
    return await _done(request, token, conversation_id, Take(token.token_id, over), key)


@ROUTER.post("/release", **_ANSWERS)
async def release(request: Request, conversation_id: UUID, token: _Answerer, key: IdempotencyKey = None) -> Response:
    """Give it back."""
    return await _done(request, token, conversation_id, Release(token.token_id), key)


@ROUTER.post("/close", **_ANSWERS)
async def close(request: Request, conversation_id: UUID, token: _Answerer, key: IdempotencyKey = None) -> Response:
    """Say that nothing is expected from either side."""
    return await _done(request, token, conversation_id, Close(token.token_id, datetime.now(UTC)), key)


@ROUTER.post("/reopen", **_ANSWERS)
async def reopen(request: Request, conversation_id: UUID, token: _Answerer, key: IdempotencyKey = None) -> Response:
    """Go on with what was closed."""
    return await _done(request, token, conversation_id, Reopen(token.token_id, datetime.now(UTC)), key)


async def _done(request: Request, token: Token, conversation_id: UUID, command: Asked, key: str | None) -> Response:
    answering = runtime_of(request).answering(token.tenant)
    async with carried_out(request, token, key) as command_id:
        with found("conversation"):
            position = await answering.command(token.tenant, conversation_id, command, command_id=command_id)
    return as_json({"position": position}, status=202)
