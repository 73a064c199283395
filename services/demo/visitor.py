"""A visitor of the demo's chat: a socket of the widget's own protocol, which confirms what it was shown."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from channels.chat.widget_frames import SUBPROTOCOL

_PATIENCE_SECONDS: Final = 15.0


@dataclass(slots=True)
class Visitor:
    """Their open page. `shown` are our lines on it."""

    socket: ClientConnection
    visitor: str
    shown: list[str] = field(default_factory=list[str])

    @property
    def address(self) -> str:
        """As it is in the record."""
        return f"chat:v.{self.visitor}"

    def write(self, text: str) -> None:
        """Say something; returns once it is kept. Raises TimeoutError, or ConnectionClosed, when it is not."""
        given_id = str(uuid4())
        self.socket.send(json.dumps({"t": "message", "id": given_id, "text": text}))
        heard = _heard(self.socket)
        while (heard["t"], heard.get("id")) != ("ack", given_id):
            heard = _heard(self.socket)

    def look(self, seconds: float) -> None:
        """Wait so long for a line of ours, and confirm that it was shown."""
        try:
            frame = _heard(self.socket, seconds)
        except TimeoutError:
            return
        if frame["t"] == "message" and frame["from"] == "agent":
            self.shown.append(frame["text"])
            self.socket.send(json.dumps({"t": "seen", "number": frame["number"], "read": True}))


@contextmanager
def visiting(chat_url: str) -> Generator[Visitor]:
    """Open the chat behind this address, and leave it at the end."""
    url = f"{chat_url.replace('http', 'ws', 1)}/socket"
    with connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, close_timeout=1) as socket:
        socket.send(json.dumps({"t": "hello", "visitor": None, "proof": None, "after": 0}))
        yield Visitor(socket, _heard(socket)["visitor"])


def _heard(socket: ClientConnection, seconds: float = _PATIENCE_SECONDS) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=seconds))
    return frame
