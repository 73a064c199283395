"""Conversations: what waits for us, what was answered, and what was said in one."""

from collections.abc import Collection
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from projections.queues.queries import One, one, queue
from projections.timeline.queries import Item, conversation, interactions
from schemas.conversation import ConversationState
from schemas.reference import reference
from services.api.access import may
from services.api.answers import Cursor, Limit, Position, as_json, link, next_page
from services.api.conversation_shapes import ConversationDetail, ConversationsPage
from services.api.cursor import decoded, encoded
from services.api.problems import guarded, not_found
from services.api.runtime import Runtime, runtime_of
from services.api.shapes import interaction
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])

_WAIT: Final = "Wait up to two seconds until the read models have what was recorded there."


@ROUTER.get("", response_model=ConversationsPage, responses=guarded())
async def read_conversations(
    *,
    request: Request,
    token: Annotated[Token, Depends(may("read_timeline"))],
    state: Annotated[ConversationState, Query(description="`waiting`: it is our turn.")] = "waiting",
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: Annotated[Position, Query(description=_WAIT)] = 0,
) -> Response:
    """Conversations in this state, the longest in it first."""
    runtime = runtime_of(request)
    after = None if cursor is None else decoded(cursor)
    if min_position:
        await runtime.progress.reach(min_position)
    # Before the rows, so that it never promises more than is in them.
    reached, lag_seconds = await runtime.progress.now()
    async with runtime.queues(token.tenant) as tx:
        found = await queue(tx, token.tenant, state, limit=limit + 1, after=after)
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = next_page(
            "/api/v1/conversations",
            {"state": state, "limit": limit},
            encoded(found[-1].since_at, found[-1].opened_position),
        )
    said = await _said(runtime, token.tenant, found)
    page = {
        "items": [_shown(each, said) for each in found],
        "next": following,
        "position": reached,
        "lag_seconds": round(lag_seconds, 3),
    }
    return as_json(page, headers=link(following))


@ROUTER.get("/{conversation_id}", response_model=ConversationDetail, responses=guarded(404))
async def read_conversation(
    *,
    request: Request,
    conversation_id: UUID,
    token: Annotated[Token, Depends(may("read_timeline"))],
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: Annotated[Position, Query(description=_WAIT)] = 0,
) -> Response:
    """One conversation with what was said in it, newest first."""
    runtime = runtime_of(request)
    before = None if cursor is None else decoded(cursor)
    if min_position:
        await runtime.progress.reach(min_position)
    async with runtime.queues(token.tenant) as tx:
        found = await one(tx, token.tenant, conversation_id)
    if found is None:
        raise not_found("conversation")
    async with runtime.timeline(token.tenant) as tx:
        items = await conversation(tx, token.tenant, conversation_id, limit=limit + 1, before=before)
    following = None
    if len(items) > limit:
        items = items[:limit]
        at = encoded(items[-1].effective_at, items[-1].position)
        following = next_page(f"/api/v1/conversations/{conversation_id}", {"limit": limit}, at)
    shown = _shown(found, await _said(runtime, token.tenant, [found]))
    return as_json(
        {**shown, "items": [interaction(item) for item in items], "next": following}, headers=link(following)
    )


async def _said(runtime: Runtime, tenant: str, found: Collection[One]) -> dict[UUID, Item]:
    """The first and the last interaction of each."""
    ids = {interaction_id for each in found for interaction_id in (each.first_interaction_id, each.last_interaction_id)}
    async with runtime.timeline(tenant) as tx:
        return {item.interaction_id: item for item in await interactions(tx, tenant, ids)}


def _shown(found: One, said: dict[UUID, Item]) -> dict[str, Any]:
    first, last = said.get(found.first_interaction_id), said.get(found.last_interaction_id)
    return {
        "conversation_id": found.conversation_id,
        "reference": None if first is None else reference(first.event_id),
        "state": found.state,
        "turn": found.turn,
        "since_at": found.since_at,
        "waits_for": found.waits_for,
        "taken_by": found.taken_by,
        "failed_message_id": found.failed_message_id,
        "channel": found.channel,
        "inbox_id": found.inbox_id,
        "address": None if first is None else first.address,
        "address_id": found.address_id,
        "interactions": found.interactions,
        "opened_at": found.opened_at,
        "last": None if last is None else interaction(last),
        "position": found.position,
    }
