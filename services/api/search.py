"""Interactions by their reference, by words, and by addresses or parts of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from channels.phone import customer_address
from projections.search.folding import asked_words, excerpt
from projections.search.queries import Hit, found
from projections.timeline.queries import Item, interactions, referred
from schemas.interaction import Direction, Kind
from schemas.reference import parse_reference, reference
from services.api.access import may
from services.api.answers import Cursor, Limit, Position, as_json, link, next_page
from services.api.cursor import decoded, encoded
from services.api.problems import guarded
from services.api.runtime import Runtime, runtime_of
from services.api.settled import region_of
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1", tags=["search"])

_SNIPPET: Final = 160


class Found(BaseModel):
    """An interaction that was found. `snippet` is what it says around the first word that was asked for."""

    model_config = ConfigDict(title="Found")

    interaction_id: UUID
    reference: str
    conversation_id: UUID | None
    address_id: UUID
    address: str | None
    kind: Kind
    direction: Direction
    channel: str
    subject: str | None
    snippet: str | None
    occurred_at: datetime
    position: int


class FoundPage(BaseModel):
    """A page, newest first. `position`: everything recorded up to there is searched."""

    items: list[Found]
    next: str | None = Field(description="The path of the next, older page.")
    position: int
    lag_seconds: float = Field(description="How long the first event that is not searched yet has waited.")


@ROUTER.get("/search", response_model=FoundPage, responses=guarded())
async def search(
    *,
    request: Request,
    token: Annotated[Token, Depends(may("read_timeline"))],
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            description="A reference (`7K3M-2QXD`), an address or four characters of one, or words: all that are "
            "given, each whole or its beginning. Case, accents, script of digits and variants of letters don't count.",
            examples=["سفارش 12345"],
        ),
    ],
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: Annotated[
        Position, Query(description="Wait up to two seconds until what was recorded there is searched.")
    ] = 0,
) -> Response:
    """Interactions with these words, of this address, or of this reference."""
    runtime = runtime_of(request)
    before = None if cursor is None else decoded(cursor)
    if min_position:
        await runtime.search_progress.reach(min_position)
    # Before the rows, so that it never promises more than is in them.
    reached, lag_seconds = await runtime.search_progress.now()
    items, last = await _named(runtime, token.tenant, q), None
    if not items:
        hits = await _hits(runtime, token.tenant, q, limit=limit + 1, before=before)
        last = hits[limit - 1] if len(hits) > limit else None
        items = await _said(runtime, token.tenant, hits[:limit])
    following = None
    if last is not None:
        at = encoded(last.effective_at, last.position)
        following = next_page("/api/v1/search", {"q": q, "limit": limit}, at)
    page = {
        "items": [_shown(item, q) for item in items],
        "next": following,
        "position": reached,
        "lag_seconds": round(lag_seconds, 3),
    }
    return as_json(page, headers=link(following))


async def _named(runtime: Runtime, tenant: str, asked: str) -> list[Item]:
    try:
        event_ids = parse_reference(asked)
    except ValueError:
        return []
    async with runtime.timeline(tenant) as tx:
        return await referred(tx, tenant, event_ids)


async def _hits(
    runtime: Runtime, tenant: str, asked: str, *, limit: int, before: tuple[datetime, int] | None
) -> list[Hit]:
    address = customer_address(asked.strip(), await region_of(runtime, tenant))
    async with runtime.search(tenant) as tx:
        return await found(tx, tenant, asked, limit=limit, before=before, address=address)


async def _said(runtime: Runtime, tenant: str, hits: Sequence[Hit]) -> list[Item]:
    """In the order of the hits; what the timeline has not, or not any more, is left out."""
    async with runtime.timeline(tenant) as tx:
        items = await interactions(tx, tenant, [hit.interaction_id for hit in hits])
    known = {item.interaction_id: item for item in items}
    return [known[hit.interaction_id] for hit in hits if hit.interaction_id in known]


def _shown(item: Item, asked: str) -> dict[str, Any]:
    return {
        "interaction_id": item.interaction_id,
        "reference": reference(item.event_id),
        "conversation_id": item.conversation_id,
        "address_id": item.address_id,
        "address": item.address,
        "kind": item.kind,
        "direction": item.direction,
        "channel": item.channel,
        "subject": item.subject,
        "snippet": None if item.text is None else excerpt(item.text, asked_words(asked), _SNIPPET),
        "occurred_at": item.occurred_at,
        "position": item.position,
    }
