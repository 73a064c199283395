"""Recorded frames of a chat to its socket, as the widget's script sends them (websockets)."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from channels.chat import widget_frames as frames
from services.ops.signers import Outgoing

_PATIENCE_SECONDS: Final = 30
_STATUS_OF: Final = {frames.BAD_PROOF: 401, frames.UNKNOWN: 404, frames.TOO_FAST: 429, frames.TRY_LATER: 503}

Answer = Mapping[str, object]


def send_frames(request: Outgoing, signed_base: str, real_base: str, times: int) -> Iterator[Answer]:
    """Say hello and the messages, the whole this often; yields an answer for each message, in the terms of HTTP.

    What was seen is left out: its numbers are of a thread of the time when it was said.
    """
    hello, said = frames.listed(request.body)
    url = (real_base + request.url.removeprefix(signed_base)).replace("http", "ws", 1) + "/socket"
    for _ in range(times):
        try:
            with connect(url, subprotocols=[Subprotocol(frames.SUBPROTOCOL)], proxy=None) as socket:
                welcome = _asked(socket, {**hello, "after": 0}, {"welcome", "error"})
                # The id that a stranger is given the first time is theirs the next time too.
                hello["visitor"] = welcome.get("visitor", hello.get("visitor"))
                for number, frame in enumerate([one for one in said if one.get("t") != "seen"], 1):
                    yield _answered(socket, number, frame)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            reason = closed.rcvd.reason if closed.rcvd else "the connection is lost"
            yield {"number": 1, "status": _STATUS_OF.get(code, 400), "result": None, "event_ids": [], "answer": reason}
        except InvalidStatus as refused:
            told = (refused.response.body or b"").decode("utf-8", "replace")
            status = refused.response.status_code
            yield {"number": 1, "status": status, "result": None, "event_ids": [], "answer": told}


def _answered(socket: ClientConnection, number: int, frame: Mapping[str, Any]) -> Answer:
    started = time.perf_counter()
    told = _asked(socket, frame, {"ack", "error"})
    is_kept = told["t"] == "ack"
    return {
        "number": number,
        "status": 202 if is_kept else 422,
        "result": "accepted" if is_kept else None,
        "event_ids": [told["event_id"]] if is_kept else [],
        "answer": orjson.dumps(told).decode(),
        "seconds": round(time.perf_counter() - started, 4),
    }


def _asked(socket: ClientConnection, frame: Mapping[str, Any], kinds: set[str]) -> dict[str, Any]:
    """The first frame of these kinds; lines of the thread may come before it."""
    socket.send(orjson.dumps(frame).decode())
    while True:
        told = frames.read(socket.recv(_PATIENCE_SECONDS))
        if told.get("t") in kinds:
            return told
