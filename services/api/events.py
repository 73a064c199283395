"""Events by position: the feed for other services, and one event for whoever got only its address."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from schemas.topics import Topic
from services.api.access import may
from services.api.answers import BIGGEST, Position
from services.api.problems import guarded, not_found
from services.api.runtime import Runtime, runtime_of
from services.cloudevents import BATCH_TYPE, EVENT_TYPE, to_batch, to_headers, to_json
from services.record.reader import Row
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/events", tags=["events"])
POSITION: Final = "Tamas-Position"

Topics = Annotated[list[Topic] | None, Query(alias="topic", max_length=8, description="Only these; all when left out.")]
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "CloudEvents 1.0 in structured mode; `data` is the fact as its `dataschema` says.",
    "required": ["specversion", "id", "source", "type", "position", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "position": {"type": "string", "pattern": "^[0-9]+$"},
        "data": {"type": "object"},
    },
}
_HEADER: Final = {
    POSITION: {"description": "Ask for what is after this next.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}


@ROUTER.get(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "Events in the order of their positions; an empty list at the end.",
            "content": {BATCH_TYPE: {"schema": {"type": "array", "items": _EVENT}}},
            "headers": _HEADER,
        },
        **guarded(),
    },
)
async def read_events(
    request: Request,
    token: Annotated[Token, Depends(may("read_events"))],
    topic: Topics = None,
    after: Annotated[Position, Query(description="0: from the beginning.")] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Response:
    """Events after a position."""
    runtime = runtime_of(request)
    rows, reached = await page_of(runtime, token.tenant, topic, after, limit)
    return Response(to_batch(rows, runtime.public_url()), headers={POSITION: str(reached)}, media_type=BATCH_TYPE)


async def page_of(
    runtime: Runtime, tenant: str, topics: list[Topic] | None, after: int, limit: int
) -> tuple[list[Row], int]:
    """Events and the position that is behind them: at the end the record's own, past what is other tenants'."""
    # Asked before the rows: what is recorded later than this is above it, and not passed over.
    head = await runtime.tail.head()
    rows = [] if after >= head else await runtime.reader(tenant).read(after, limit, topics=topics, tenant=tenant)
    if not rows:
        return [], max(after, head)
    return rows, rows[-1].position


@ROUTER.get(
    "/{position}",
    response_class=Response,
    responses={
        200: {
            "description": "The fact, with CloudEvents attributes as `Ce-` headers (HTTP binding, binary mode); or the "
            "whole event when `Accept` asks for it.",
            "content": {"application/json": {"schema": {"type": "object"}}, EVENT_TYPE: {"schema": _EVENT}},
        },
        **guarded(404),
    },
)
async def read_event(
    request: Request,
    position: Annotated[int, Path(ge=1, le=BIGGEST)],
    token: Annotated[Token, Depends(may("read_events"))],
) -> Response:
    """One event: where a claim check (`dataref`) leads."""
    runtime = runtime_of(request)
    rows = await runtime.reader(token.tenant).read(position - 1, 1, tenant=token.tenant)
    if not rows or rows[0].position != position:
        raise not_found("event")
    if EVENT_TYPE in request.headers.get("accept", ""):
        return Response(to_json(rows[0], runtime.public_url()), media_type=EVENT_TYPE)
    attributes = to_headers(rows[0], None, runtime.public_url())
    headers = {f"Ce-{name.removeprefix('ce_')}": value.decode() for name, value in attributes if name.startswith("ce_")}
    return Response(rows[0].payload, headers=headers, media_type="application/json")
