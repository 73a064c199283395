"""The outermost layer: an id for every request, and an answer also where we have a fault."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from services.api.problems import MEDIA_TYPE, Problem, body_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID: Final = "Tamas-Request-Id"
_log: Final = structlog.get_logger()


class Edge:
    """ASGI middleware. The id is in `scope["state"]["request_id"]`, in the answer's header and in the log."""

    def __init__(self, app: App) -> None:
        """`app` is what answers."""
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what is no HTTP passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        has_begun = False

        async def marked(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message["headers"], (b"tamas-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:
            # The edge: whoever asked is told the id under which the log has the rest.
            _log.exception("api.fault", request_id=request_id, path=_route(scope))
            if has_begun:
                raise
            await _fault(marked, request_id)


async def _fault(send: Send, request_id: str) -> None:
    problem = Problem(500, "This is a fault of ours; its log entry has this request's id.")
    body = body_of(problem, request_id)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _route(scope: Scope) -> str:
    # The route's pattern, never the path itself: a log holds no address.
    return str(getattr(scope.get("route"), "path", "unknown"))
