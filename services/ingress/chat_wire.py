"""One web socket on bare ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html#websocket)."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from channels.contract import Answer
from services.ingress.http import Gone, Receive, Reply, Scope, Send
from services.record.raw import new_raw_id


class Wire:
    """Text frames in, JSON frames out. Every method raises `Gone` once the other side has left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        """The connection has not been accepted yet."""
        self._receive: Final = receive
        self._send: Final = send

    async def accept(self, subprotocol: str | None) -> None:
        """Take the connection."""
        await self._receive()  # websocket.connect
        await self._told({"type": "websocket.accept", "subprotocol": subprotocol})

    async def heard(self) -> str | bytes:
        """The next message."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Gone
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def say(self, frame: Mapping[str, Any]) -> None:
        """Send one frame."""
        await self._told({"type": "websocket.send", "text": orjson.dumps(frame, option=orjson.OPT_UTC_Z).decode()})

    async def close(self, code: int, reason: str) -> None:
        """Close it; `reason` has at most 123 bytes (RFC 6455 section 5.5)."""
        await self._told({"type": "websocket.close", "code": code, "reason": reason})

    async def _told(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError as error:
            raise Gone from error


async def refuse(scope: Scope, send: Send, given: Answer) -> None:
    """Answer the handshake in plain HTTP."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = Reply(given, new_raw_id()).headers()
    await send({"type": "websocket.http.response.start", "status": given.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": given.body})
