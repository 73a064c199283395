"""Posts to hooks and short ones to forms straight from the HTTP parser: one write a request.

ASGI between costs as much as verifying does.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from channels.contract import Answer
from services.ingress.forms import LONG_BODY, Forms
from services.ingress.hooks import BODY_LIMIT, Hooks
from services.ingress.http import RawHeaders, Reply, refused, too_large
from services.record.raw import new_raw_id

_LOG: Final = structlog.get_logger("hooks")
# What needs no unquoting and is no page beneath the form.
_FORM: Final = re.compile(rb"/forms/[A-Za-z0-9_-]+")
_LONGEST_LENGTH: Final = len(str(LONG_BODY))
_Replies = Callable[[bytes, RawHeaders, bytes], Awaitable[Reply]]
"""Target, headers and body to what is answered."""
_FAULT: Final = Answer(500, b"A fault of ours; it is in our log.\n")


def direct(hooks: Hooks, forms: Forms) -> partial["Direct"]:
    """For uvicorn's `http`: its own protocol for everything but posts to hooks and short ones to forms."""
    return partial(Direct, partial(hooks.reply, "POST"), forms.reply)


class Direct(HttpToolsProtocol):
    """uvicorn's protocol for one connection. Requests that are pipelined behind another go uvicorn's way."""

    def __init__(self, hooks: _Replies, forms: _Replies, *given: Any, **named: Any) -> None:
        """`given` and `named` are uvicorn's."""
        super().__init__(*given, **named)
        self._hooks: Final = hooks
        self._forms: Final = forms
        self._idle_since = 0.0
        self._idle_check: asyncio.TimerHandle | None = None

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        is_idle = cast("RequestResponseCycle | None", self.cycle) is None or self.cycle.response_complete
        replies = self._door() if is_idle and self._is_plain() else None
        if replies is None:
            super().on_headers_complete()
        else:
            self.cycle = cast("RequestResponseCycle", _Cycle(self, replies))

    def on_response_complete(self) -> None:
        """Called after each answer. One timer a connection, not one a request as uvicorn has it."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._idle_check is None:
            self._idle_check = self.loop.call_later(self.timeout_keep_alive, self._close_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once."""
        super().connection_lost(exc)
        if self._idle_check is not None:
            self._idle_check.cancel()

    def handle_websocket_upgrade(self) -> None:
        """Called when the connection becomes a web socket, which is idle by its own rules."""
        if self._idle_check is not None:
            self._idle_check.cancel()
        super().handle_websocket_upgrade()

    def _close_idle(self) -> None:
        left = self.timeout_keep_alive - (self.loop.time() - self._idle_since)
        if left <= 0 and self.cycle.response_complete:
            self.transport.close()
        else:
            self._idle_check = self.loop.call_later(max(left, 1.0), self._close_idle)

    def _door(self) -> _Replies | None:
        if self.url.startswith(b"/hooks/"):
            return self._hooks
        return self._forms if _FORM.fullmatch(self.url) and self._is_short() else None

    def _is_short(self) -> bool:
        declared = next((value for name, value in self.headers if name == b"content-length"), b"")
        return declared.isdigit() and len(declared) <= _LONGEST_LENGTH and int(declared) <= LONG_BODY

    def _is_plain(self) -> bool:
        parser = self.parser
        assert parser is not None  # noqa: S101 - None only once the connection is lost
        is_post = parser.get_method() == b"POST" and parser.get_http_version() == "1.1"
        return is_post and not self.expect_100_continue and not parser.should_upgrade()


class _Cycle:
    """One request and its answer, with the attributes that uvicorn's protocol reads and sets."""

    def __init__(self, protocol: Direct, replies: _Replies) -> None:
        self._protocol: Final = protocol
        self._replies: Final = replies
        self._target: Final = protocol.url
        self._headers: Final = protocol.headers
        self.keep_alive: bool = protocol.parser is not None and protocol.parser.should_keep_alive()
        self.body = b""
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.message_event: Final = self

    def set(self) -> None:
        """Called for each part of the body, at its end, and when the client has gone."""
        if self.disconnected or self.response_complete:
            return
        if not self.more_body:
            task = self._protocol.loop.create_task(self._answer())
            self._protocol.tasks.add(task)
            task.add_done_callback(self._protocol.tasks.discard)
        elif len(self.body) > BODY_LIMIT:
            self.keep_alive = False
            self._write(refused(too_large(BODY_LIMIT)))
        else:
            self._protocol.flow.resume_reading()

    async def _answer(self) -> None:
        try:
            reply = await self._replies(self._target, self._headers, self.body)
        except Exception:  # noqa: BLE001 - told to the log
            # The edge: the connection of one request is never left without an answer.
            _LOG.exception("a post could not be answered")
            self.keep_alive = False
            reply = Reply(_FAULT, new_raw_id())
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        if self.disconnected or self._protocol.transport.is_closing():
            return
        parts = [STATUS_LINE[reply.answer.status]]
        for name, value in reply.headers():
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        parts.append(reply.answer.body)
        self._protocol.transport.write(b"".join(parts))
        self.response_complete = True
        if not self.keep_alive:
            self._protocol.transport.close()
        self._protocol.on_response_complete()
