"""What is said on a widget's socket, recorded as the door keeps it."""

import json
from datetime import UTC, datetime
from typing import Any

from channels.contract import InboundRequest, Origin
from channels.signing import visitor_proof

KEY = "the site's own proof key"
ORIGIN = Origin("acme", "widget:Shop site")
DRAWN = "abcdefghijklmnopqrstuvwxyz"
ID = "0b0e7e2c-3b1f-4c8e-9f5a-7d8f3f1f2a11"
OTHER_ID = "0b0e7e2c-3b1f-4c8e-9f5a-7d8f3f1f2a12"


def hello(visitor: str | None = None, proof: str | None = None, **more: Any) -> dict[str, Any]:
    return {"t": "hello", "visitor": visitor, "proof": proof, "after": 0, **more}


def proven(visitor: str, key: str = KEY) -> dict[str, Any]:
    return hello(visitor, visitor_proof(key, visitor))


def welcome(visitor: str = DRAWN) -> dict[str, Any]:
    return {"t": "welcome", "visitor": visitor, "last": 0}


def message(text: str = "سلام", message_id: str = ID, **more: Any) -> dict[str, Any]:
    return {"t": "message", "id": message_id, "text": text, **more}


def line(number: int, message_id: str = ID) -> dict[str, Any]:
    """One of ours, as it is recorded before what was seen of it."""
    return {"t": "message", "number": number, "from": "agent", "id": message_id}


def seen(number: Any, **more: Any) -> dict[str, Any]:
    return {"t": "seen", "number": number, **more}


def recording(*frames: Any) -> InboundRequest:
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    url = "https://hub.example.com/chat/k3y/socket"
    return InboundRequest("GET", url, (("upgrade", "websocket"),), json.dumps(frames).encode(), at, ORIGIN)
