"""Server-sent events for one browser (HTML Living Standard, section 9.2); its tabs share them."""

import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import Final

import psycopg
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.desk.access import COOKIE
from services.desk.floor import Floor
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
            looked_at = time.monotonic()
            while not joined.is_cut:
                frames = await joined.take(HEARTBEAT_SECONDS)
                # Also where it is never quiet: who may listen no more is sent off.
                if not joined.is_cut and (not frames or time.monotonic() - looked_at > HEARTBEAT_SECONDS):
                    if not await _is_good(floor, secret):
                        return
                    looked_at = time.monotonic()
                yield frames or b": here\n\n"
    finally:
        floor.streams[session.digest] -= 1
        if not floor.streams[session.digest]:
            del floor.streams[session.digest]


async def _is_good(floor: Floor, secret: str) -> bool:
    """Whether the sign-in still holds. While the database is away nobody is sent off."""
    with contextlib.suppress(psycopg.Error):
        return await floor.sessions.find(secret) is not None
    return True
