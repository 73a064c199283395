"""Events as they come: server-sent events (HTML Living Standard, section 9.2) with the position as their id.

There is no queue: a stream reads the record at its own pace, so that a slow reader delays nobody and costs nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Final

import psycopg
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from schemas.topics import Topic
from services.api.access import may
from services.api.answers import BIGGEST
from services.api.events import Topics, page_of
from services.api.problems import Problem, guarded
from services.api.runtime import Runtime, runtime_of
from services.cloudevents import to_json
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/events", tags=["events"])
MOST_STREAMS: Final = 500
MOST_OF_A_TOKEN: Final = 20
HEARTBEAT_SECONDS: Final = 15.0
_PAGE: Final = 200
_AGAIN_SECONDS: Final = 1.0
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stream(StreamingResponse):
    """Its media type, for the documentation."""

    media_type = "text/event-stream"


@ROUTER.get(
    "/stream",
    response_class=Stream,
    responses={
        200: {
            "description": "Each event's `id` is its position, its `data` the event (CloudEvents 1.0, structured). "
            "An `id` alone comes when nothing else did for 15 s.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **guarded(),
    },
)
async def stream(
    request: Request,
    token: Annotated[Token, Depends(may("read_events"))],
    topic: Topics = None,
    after: Annotated[int | None, Query(ge=0, le=BIGGEST, description="Where to begin; from now when left out.")] = None,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", pattern="^[0-9]{0,19}$", description="Goes before `after`: browsers send it."),
    ] = None,
) -> Response:
    """Events as they come."""
    runtime = runtime_of(request)
    head = await runtime.tail.head()
    begin = min(int(last_event_id), BIGGEST) if last_event_id else head if after is None else after
    _count(runtime, token)
    secret = request.headers["authorization"].partition(" ")[2].strip()
    return Stream(_frames(runtime, token, secret, topic, begin), headers=_HEADERS)


def _count(runtime: Runtime, token: Token) -> None:
    own = runtime.streams.get(token.token_id, 0)
    if own >= MOST_OF_A_TOKEN or sum(runtime.streams.values()) >= MOST_STREAMS:
        raise Problem(429, "Too many streams are open: share one.", headers={"Retry-After": "15"})


async def _frames(
    runtime: Runtime, token: Token, secret: str, topics: list[Topic] | None, after: int
) -> AsyncIterator[bytes]:
    runtime.streams[token.token_id] = runtime.streams.get(token.token_id, 0) + 1
    try:
        # At once, so that the other side knows that it is connected, and where.
        yield b"retry: 2000\nid: %d\n\n" % after
        while not runtime.closing.is_set():
            with contextlib.suppress(psycopg.OperationalError):
                if await runtime.authenticator.authenticate(secret) is None:
                    return
                rows, after = await page_of(runtime, token.tenant, topics, after, _PAGE)
                base_url = runtime.public_url()
                if rows:
                    yield b"".join([b"id: %d\ndata: %b\n\n" % (row.position, to_json(row, base_url)) for row in rows])
                elif not await _news(runtime, token.tenant, topics, after):
                    yield b"id: %d\n\n" % after
                continue
            await asyncio.sleep(_AGAIN_SECONDS)
    finally:
        runtime.streams[token.token_id] -= 1
        if not runtime.streams[token.token_id]:
            del runtime.streams[token.token_id]


async def _news(runtime: Runtime, tenant: str, topics: list[Topic] | None, after: int) -> bool:
    """Wait for news, the end of this process, or the next heartbeat."""
    waiting = asyncio.ensure_future(runtime.tail.news(tenant, topics, after, HEARTBEAT_SECONDS))
    closing = asyncio.ensure_future(runtime.closing.wait())
    try:
        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        return closing.done() or waiting.result()
    finally:
        waiting.cancel()
        closing.cancel()
