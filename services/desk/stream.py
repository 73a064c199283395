"""Server-sent events for one browser (HTML Living Standard, section 9.2); its tabs share them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Final

import psycopg
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.desk.access import COOKIE
from services.desk.floor import Floor
from services.desk.hub import Stream
from services.desk.sessions import Session

HEARTBEAT_SECONDS: Final = 15.0
MOST_OF_A_SESSION: Final = 12
_LATEST: Final = 1 << 62
_HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_RESYNC: Final = b'data: {"kind":"resync"}\n\n'


async def stream(request: Request, floor: Floor, session: Session) -> Response:
    """What changed after `Last-Event-ID`, else `after`; then whatever changes."""
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = min(int(given), _LATEST) if given.isdigit() else floor.hub.position
    if floor.streams.get(session.digest, 0) >= MOST_OF_A_SESSION:
        return PlainTextResponse("Too many streams of one sign-in.", 429, headers={"Retry-After": "15"})
    secret = request.cookies[COOKIE]
    return StreamingResponse(_frames(floor, session, secret, after), headers=_HEADERS)


async def _frames(floor: Floor, session: Session, secret: str, after: int) -> AsyncIterator[bytes]:
    floor.streams[session.digest] = floor.streams.get(session.digest, 0) + 1
    try:
        with floor.hub.joined(session.tenant, session.language, after) as (joined, missed):
            # Jittered, so that a process that starts again is not stormed.
            yield b"retry: %d\n\n" % random.randint(800, 4000)  # noqa: S311 - no secret
            yield _RESYNC + b"id: %d\n\n" % floor.hub.position if missed is None else b"".join(missed) or b": here\n\n"
            while not floor.closing.is_set() and not joined.is_cut:
                frame = await _next(floor, joined)
                if frame is None and not await _is_good(floor, secret):
                    return
                yield frame or b": here\n\n"
    finally:
        floor.streams[session.digest] -= 1
        if not floor.streams[session.digest]:
            del floor.streams[session.digest]


async def _next(floor: Floor, joined: Stream) -> bytes | None:
    """The next frame; None when it is time for a heartbeat, or the process ends."""
    waiting = asyncio.ensure_future(joined.waiting.get())
    closing = asyncio.ensure_future(floor.closing.wait())
    try:
        await asyncio.wait({waiting, closing}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        closing.cancel()


async def _is_good(floor: Floor, secret: str) -> bool:
    """Whether the sign-in still holds. While the database is away nobody is sent off."""
    with contextlib.suppress(psycopg.Error):
        return await floor.sessions.find(secret) is not None
    return True
