"""`/chat/{key}`: a page to try the widget on, its script, and the socket of its visitors."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

import orjson
import psycopg
import structlog

from channels.chat import widget_frames as frames
from channels.chat import widget_page as page
from channels.chat.widget import Widget
from channels.contract import Answer, InboundRequest
from channels.errors import BadSignature, Malformed
from services.ingress.chat_limits import Crowd
from services.ingress.chat_session import Floor, Session, Visit
from services.ingress.chat_wire import Wire, refuse
from services.ingress.http import Gone, Receive, Refusal, Scope, Send, answer, headers_of, problem
from services.ingress.submission import Away, Submission
from services.record.raw import new_raw_id
from services.tenancy.directory import Directory, Inbox
from services.tenancy.doors import new_key, script_tag

_CHANNEL: Final = "chat/widget"
_HELLO_SECONDS: Final = 10.0
_HTML: Final = "text/html; charset=utf-8"
_SAFE: Final = (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))
_LOG: Final = structlog.get_logger("chat")


class Chat:
    """Every widget of the installation."""

    def __init__(self, directory: Directory, floor: Floor, public_url: str) -> None:
        """The demo pages of `public_url` itself are admitted whatever an inbox's `origins` say."""
        self._directory: Final = directory
        self._floor: Final = floor
        self._public_url: Final = public_url
        self._crowd: Final = Crowd()

    async def page(self, scope: Scope, send: Send) -> None:
        """The page and what belongs to it. Raises `Refusal`."""
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "method_not_allowed", "A chat is read with GET; messages come through its socket.")
        if path == "/chat/style.css":
            await answer(send, Answer(200, page.style(), "text/css; charset=utf-8"), new_raw_id())
            return
        key, _, rest = path.removeprefix("/chat/").partition("/")
        inbox, _ = await self._widget(key)
        await answer(send, self._shown(scope, inbox, key, rest), new_raw_id())

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A visitor's connection, from the handshake to its end."""
        try:
            await self._taken(scope, receive, send)
        except Gone:
            return

    def _shown(self, scope: Scope, inbox: Inbox, key: str, rest: str) -> Answer:
        if rest == "widget.js":
            # Sites of other origins embed it; a new version is there within five minutes.
            cached = (("cache-control", "public, max-age=300"), ("cross-origin-resource-policy", "cross-origin"))
            return Answer(200, page.script(), "text/javascript; charset=utf-8", (*cached, *_SAFE))
        if rest == "socket":
            raise Refusal(426, "upgrade_required", f"This is a web socket of the subprotocol {frames.SUBPROTOCOL}.")
        if rest:
            raise Refusal(404, "not_found", "A chat has a page, /widget.js and /socket.")
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("language", [inbox.language])[0]
        tag = script_tag(self._public_url, _CHANNEL, key) or ""
        policy = ("content-security-policy", page.content_security_policy(self._public_url))
        shown = page.demo_page(key, tag, inbox.name, asked)
        return Answer(200, shown.encode(), _HTML, (policy, ("cache-control", "no-store"), *_SAFE))

    async def _widget(self, key: str) -> tuple[Inbox, Widget]:
        inbox = await self._directory.lookup(_CHANNEL, key)
        if inbox is None and self._directory.away:
            raise Refusal(503, "away", "Chats cannot be looked up at the moment, please try again.")
        if inbox is None or inbox.disabled or not isinstance(inbox.handler, Widget):
            raise Refusal(404, "not_found", "There is no open chat behind this path.")
        return inbox, inbox.handler

    async def _taken(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = Wire(receive, send)
        try:
            inbox, widget, first = await self._called(scope)
        except Refusal as refusal:
            await self._closed(scope, wire, send, refusal)
            return
        origin = first.header("origin")
        if not widget.admits(origin) and origin != _origin_of(self._public_url):
            self._floor.requests.refused(inbox, Submission(first, inbox.inbox_id), "origins does not name its site")
            await refuse(scope, send, problem(403, "origin", "This site may not use the chat.", new_raw_id()))
            return
        await wire.accept(frames.SUBPROTOCOL)
        source = scope["client"][0] if scope.get("client") else ""
        with self._crowd.joined(inbox.inbox_id, source) as has_room:
            if not has_room:
                await wire.close(frames.TOO_FAST, "too many connections")
                return
            await self._visited(wire, inbox, widget, first)

    async def _called(self, scope: Scope) -> tuple[Inbox, Widget, InboundRequest]:
        key, _, rest = scope["path"].removeprefix("/chat/").partition("/")
        if rest != "socket":
            raise Refusal(404, "not_found", "A chat's socket is /chat/{key}/socket.")
        if frames.SUBPROTOCOL not in scope["subprotocols"]:
            raise Refusal(400, "subprotocol", f"Offer the subprotocol {frames.SUBPROTOCOL}.")
        inbox, widget = await self._widget(key)
        url = self._public_url + scope["path"]
        first = InboundRequest("GET", url, headers_of(scope), b"", datetime.now(UTC), inbox.origin)
        return inbox, widget, first

    async def _closed(self, scope: Scope, wire: Wire, send: Send, refusal: Refusal) -> None:
        """A browser only shows its script why if the handshake is taken first."""
        code = {404: frames.UNKNOWN, 503: frames.TRY_LATER}.get(refusal.status)
        if code is None or frames.SUBPROTOCOL not in scope["subprotocols"]:
            await refuse(scope, send, problem(refusal.status, refusal.code, refusal.detail, new_raw_id()))
            return
        await wire.accept(frames.SUBPROTOCOL)
        await wire.close(code, refusal.detail)

    async def _visited(self, wire: Wire, inbox: Inbox, widget: Widget, first: InboundRequest) -> None:
        visit = await self._greeted(wire, inbox, widget, first)
        if visit is None:
            return
        try:
            await Session(self._floor, wire, visit).run()
        except (Away, psycopg.OperationalError, OSError, TimeoutError) as error:
            _LOG.debug("chat.away", error=type(error).__name__)
            await wire.close(frames.TRY_LATER, "nothing can be stored at the moment")

    async def _greeted(self, wire: Wire, inbox: Inbox, widget: Widget, first: InboundRequest) -> Visit | None:
        """Who comes; None when the socket was closed instead."""
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                frame = await wire.heard()
            hello = frames.hello(frames.read(frame))
            widget.check(hello)
        except BadSignature as error:
            self._floor.requests.refused(inbox, Submission(first, inbox.inbox_id), str(error))
            await wire.close(frames.BAD_PROOF, str(error))
        except Malformed as error:
            await wire.say({"t": "error", "code": "malformed", "detail": str(error)})
            await wire.close(frames.NO_HELLO, "no hello")
        except TimeoutError:
            await wire.close(frames.NO_HELLO, "no hello in time")
        else:
            return _visit(inbox, widget, first, hello, frame)
        return None


def _visit(inbox: Inbox, widget: Widget, first: InboundRequest, hello: frames.Hello, frame: str | bytes) -> Visit:
    known = replace(hello, visitor=hello.visitor or new_key())
    welcome = orjson.dumps({"t": "welcome", "visitor": known.visitor})
    spoken = (frame if isinstance(frame, bytes) else frame.encode(), welcome)
    return Visit(inbox, widget, first.url, first.headers, known, spoken)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
