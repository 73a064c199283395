"""A visitor of a chat: keeps the ids of its own messages, and sends each until its ack comes, over reconnects."""

import json
from contextlib import suppress
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.flows.doors.opened import Doors, Message

_V1 = Subprotocol("tamas.chat.v1")
_PATIENCE_SECONDS = 10.0
_TOLD_BY = {1013: 503, 4429: 429}
"""Closing codes, as HTTP would say it."""


class Visitor:
    """One customer, who writes one message after the other; so the thread has the customer's own numbers."""

    def __init__(self, doors: Doors) -> None:
        self._url = doors.http.replace("http", "ws", 1) + doors.chat_path
        self._socket: ClientConnection | None = None
        self._seen = 0

    def send(self, message: Message) -> tuple[int, bool]:
        """The status as HTTP would have it, 0 for none; that it was known is not told."""
        try:
            self._write(message)
        except ConnectionClosed as closed:
            self.leave()
            return _TOLD_BY.get(closed.rcvd.code, 0) if closed.rcvd is not None else 0, False
        except (OSError, WebSocketException):
            self.leave()
            return 0, False
        return 200, False

    def leave(self) -> None:
        """End the connection, whatever state it is in."""
        if self._socket is not None:
            with suppress(OSError, WebSocketException):
                self._socket.close()
        self._socket = None

    def _write(self, message: Message) -> None:
        socket = self._socket or self._enter(message)
        given_id = str(uuid5(NAMESPACE_URL, message.text))
        socket.send(json.dumps({"t": "message", "id": given_id, "text": message.text}))
        heard = self._hears(socket)
        while (heard["t"], heard.get("id")) != ("ack", given_id):
            heard = self._hears(socket)
        assert heard["number"] == message.number + 1, f"{message} has the number {heard['number']} in its thread"

    def _enter(self, message: Message) -> ClientConnection:
        self._socket = socket = connect(
            self._url,
            subprotocols=[_V1],
            proxy=None,
            open_timeout=_PATIENCE_SECONDS,
            close_timeout=1,
            ping_interval=None,
        )
        who = message.address.removeprefix("chat:v.")
        socket.send(json.dumps({"t": "hello", "visitor": who, "proof": None, "after": self._seen}))
        welcome = self._hears(socket)
        assert welcome["t"] == "welcome", welcome
        assert welcome["last"] >= self._seen, f"the thread of {who} has lost lines"
        return socket

    def _hears(self, socket: ClientConnection) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(socket.recv(timeout=_PATIENCE_SECONDS))
        assert heard["t"] != "error", heard
        number = heard.get("number", 0)
        if number > self._seen:
            assert number == self._seen + 1, f"line {number} came after line {self._seen}"
            self._seen = number
        return heard
