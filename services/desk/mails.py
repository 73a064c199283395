"""A mail as it was sent, cleaned, as a page of its own for a frame that runs nothing and fetches nothing."""

import asyncio
import math
import resource
import time
from typing import Final

import anyio
import anyio.to_process
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from channels.email.shown import Shown, shown, whole_of
from channels.errors import Malformed
from projections.timeline.queries import interaction
from services.desk.floor import Floor
from services.desk.sessions import Session
from services.desk.templating import kind_of, render
from services.desk.wording import say

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
_SMALL_BYTES: Final = 16 * 1024
"""The worst that so much can become is 0.3 s of a thread; what is larger is cleaned by a process that can be ended."""

_MOST_CPU_SECONDS: Final = 5
_PATIENCE_SECONDS: Final = 60.0
"""For a machine that has other work: of time on the clock, where the other is of the processor's."""

_MOST_MEMORY_BYTES: Final = 1 << 30
_MOST_PAGE_CHARS: Final = 8_000_000
_log: Final = structlog.get_logger()


async def mail(request: Request, floor: Floor, session: Session) -> Response:
    """The mail of this interaction."""
    async with floor.views.timeline(session.tenant) as tx:
        item = await interaction(tx, session.tenant, request.path_params["interaction_id"])
    if item is None or kind_of(item.channel) != "email":
        return _nothing(session)
    subject = (await floor.ring.by_ids([item.address_id]))[item.address_id]
    raw = None if subject is None else await floor.blobs.get(session.tenant, subject, whole_of(item.interaction_id))
    if raw is None:
        return _nothing(session)
    page = render("mail.html.jinja", session.language, mail=await _cleaned(raw))
    return HTMLResponse(page, headers=_HEADERS)


async def _cleaned(raw: bytes) -> Shown | None:
    """None for a mail that cannot be shown within what one may cost."""
    try:
        if len(raw) <= _SMALL_BYTES:
            found = await asyncio.to_thread(shown, raw)
        else:
            with anyio.fail_after(_PATIENCE_SECONDS):
                found = await anyio.to_process.run_sync(bounded, raw, cancellable=True)
    except (Malformed, MemoryError, TimeoutError, anyio.BrokenWorkerProcess) as error:
        _log.warning("desk.mail_not_shown", error=type(error).__name__, size=len(raw))
        return None
    return found if len(found.html or found.text) <= _MOST_PAGE_CHARS else None


def bounded(raw: bytes) -> Shown:
    """`shown`, in a process that serves nothing else. Whatever takes more time or memory than it may ends that process.

    Raises as `shown` does, or MemoryError.
    """
    spent = math.ceil(time.process_time())
    # A process that is ended must not leave a mail on the disk.
    limits = ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, _MOST_MEMORY_BYTES))
    for which, most in (*limits, (resource.RLIMIT_CPU, spent + _MOST_CPU_SECONDS)):
        _, hard = resource.getrlimit(which)
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    return shown(raw)


def _nothing(session: Session) -> Response:
    return PlainTextResponse(say(session.language, "no_mail"), 404, headers=_HEADERS)
