"""The outermost layer: one policy for every page, and a sentence where something fails."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from projections.generation import NotServed
from services.desk.wording import say, told
from services.record.errors import Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
    "worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotServed, TimeoutError)
_log: Final = structlog.get_logger()


class Edge:
    """ASGI middleware."""

    def __init__(self, app: App) -> None:
        """`app` is what answers."""
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what is no HTTP passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given: list[tuple[bytes, bytes]] = list(message["headers"])
                named = {name.lower() for name, _ in given}
                given += [pair for pair in _HEADERS if pair[0] not in named]
                if b"cache-control" not in named:
                    given.append((b"cache-control", b"no-store"))
                message["headers"] = given
            await send(message)

        await self._app(scope, receive, guarded)


def language_of(request: Request) -> str:
    """Of whoever is signed in, else of their browser."""
    session = getattr(request.state, "session", None)
    if session is not None:
        return session.language
    return "fa" if request.headers.get("accept-language", "").lower().startswith("fa") else "en"


def refused(request: Request, error: Exception) -> Response:
    """A rule says no, or others were faster: 409 with a sentence, in the language of the page where we have it."""
    language = language_of(request)
    sentence = told(language, str(error)) if isinstance(error, Refused) else say(language, "went_on")
    return PlainTextResponse(sentence, 409)


def failed(request: Request, error: Exception) -> Response:
    """What is away is said so (503); the rest is a fault of ours, and the log has it."""
    language = language_of(request)
    if isinstance(error, AWAY):
        _log.warning("desk.away", error=type(error).__name__)
        return PlainTextResponse(say(language, "away"), 503, headers={"Retry-After": "2"})
    _log.error("desk.fault", exc_info=error)
    return PlainTextResponse(say(language, "fault"), 500)
