"""The one HTTP door of a process: hooks, forms and chats here, everything else to whoever is behind."""

from collections.abc import Callable
from typing import Any, Final

import structlog

from services.ingress.chat import Chat
from services.ingress.figures import Figures
from services.ingress.forms import Forms
from services.ingress.hooks import Hooks
from services.ingress.http import App, Gone, Receive, Refusal, Scope, Send, answer, as_json, refused
from services.record.raw import new_raw_id

_LOG: Final = structlog.get_logger("doors")
Readiness = Callable[[], dict[str, Any]]


class Doors:
    """An ASGI application."""

    def __init__(
        self,
        hooks: Hooks,
        forms: Forms,
        chat: Chat,
        figures: Figures,
        *,
        readiness: Readiness,
        behind: App | None = None,
    ) -> None:
        """`readiness` gives the body of /readyz; `behind` serves other paths (the API of another process)."""
        self._hooks: Final = hooks
        self._forms: Final = forms
        self._chat: Final = chat
        self._figures: Final = figures
        self._readiness: Final = readiness
        self._behind: Final = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route by the first part of the path; every refusal is a problem in words."""
        if scope["type"] == "websocket":
            await self._chat.socket(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            await self._routed(scope, receive, send)
        except Refusal as refusal:
            self._figures.tally.turned_away[refusal.code] += 1
            await answer(send, *refused(refusal))
        except Gone:
            return

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/hooks/"):
            await self._hooks(scope, receive, send)
        elif path.startswith("/forms/"):
            await self._forms(scope, receive, send)
        elif path.startswith("/chat/"):
            await self._chat.page(scope, send)
        elif path == "/livez":
            await answer(send, as_json(200, {"alive": True}), new_raw_id())
        elif path == "/readyz":
            found = self._readiness()
            await answer(send, as_json(200 if found["ready"] else 503, found), new_raw_id())
        elif path == "/metrics":
            await answer(send, await self._figures.answer(scope), new_raw_id())
        elif self._behind is not None:
            await self._behind(scope, receive, send)
        else:
            raise Refusal(404, "not_found", "There is nothing at this path.")
