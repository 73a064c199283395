"""The frames of the subprotocol `tamas.chat.v1`: JSON objects, one a message of the socket, named by their `t`.

A script says first

    {"t":"hello","visitor":null|id,"proof":null|hmac,"after":17}    17 is the last number that it has
and then
    {"t":"message","id":uuid,"text"}        a repeat of an id is the same message
    {"t":"seen","number":19}                all lines of ours up to 19 are in its log
    {"t":"seen","number":19,"read":true}    and before the visitor's eyes: the chat is open, and so is the page

We say

    {"t":"welcome","visitor":id,"last":17}      with "read":12 where lines of ours were read, up to 12
    {"t":"ack","id":uuid,"number":18,"event_id":uuid}
    {"t":"message","number":19,"from":"agent","text","occurred_at"}
    {"t":"message","number":18,"from":"visitor","id":uuid,"text","occurred_at"}     from another socket of the visitor
    {"t":"error","code","detail"}               with the "id" of a message that was not kept

Numbers count the lines of the visitor's thread, theirs and ours, without a gap. A `seen` has no answer, may be said
again, and need not be said at all: who does not know it only leaves us without a receipt.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeGuard, cast
from uuid import UUID

from channels.errors import Malformed
from channels.typed import clean

SUBPROTOCOL: Final = "tamas.chat.v1"
FRAME_BYTES: Final = 64 * 1024
TEXT_CHARS: Final = 4000
_NAME_CHARS: Final = 100

# What a socket is closed with, so that the script knows whether to come again.
BAD_PROOF: Final = 4401
UNKNOWN: Final = 4404
TOO_FAST: Final = 4429
TRY_LATER: Final = 1013
NO_HELLO: Final = 1008


@dataclass(frozen=True, slots=True)
class Hello:
    """Who comes. `visitor` without a `proof` is an id that we drew; `after` is the last number the script has."""

    visitor: str | None
    proof: str | None
    after: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a visitor wrote. `message_id` is the script's own, by which a repeat is known."""

    message_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All lines of ours up to this number were shown, or also read."""

    number: int
    is_read: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Messages of ours that a visitor's script has shown, or that were also read."""

    message_ids: tuple[UUID, ...]
    is_read: bool


def read(frame: str | bytes) -> dict[str, Any]:
    """A frame as it came.

    Raises:
        Malformed: no JSON object.
    """
    found = _json(frame)
    if not isinstance(found, dict):
        raise Malformed("A frame is a JSON object.")
    return cast("dict[str, Any]", found)


def hello(frame: Mapping[str, Any]) -> Hello:
    """The first frame of a script.

    Raises:
        Malformed: it is another one, or a member is not what it should be.
    """
    if frame.get("t") != "hello":
        raise Malformed('The first frame is {"t":"hello",…}.')
    after = frame.get("after")
    if after is None:
        after = 0
    if not _is_number(after):
        raise Malformed("after is the last number that was seen, or 0.")
    return Hello(_name(frame, "visitor"), _name(frame, "proof"), after)


def said(frame: Mapping[str, Any]) -> Said:
    """A message of a visitor.

    Raises:
        Malformed: it is another frame, has no UUID, no text, or more than 4,000 characters.
    """
    if frame.get("t") != "message" or "number" in frame:
        raise Malformed('After hello a frame is {"t":"message","id","text"} or {"t":"seen","number"}.')
    text = frame.get("text")
    if not isinstance(text, str) or not (text := clean(text)):
        raise Malformed("text is missing or empty.")
    if len(text) > TEXT_CHARS:
        raise Malformed(f"The text has {len(text)} characters; {TEXT_CHARS} are the most.")
    return Said(_uuid(frame.get("id")), text)


def seen(frame: Mapping[str, Any]) -> Seen:
    """What a script has shown.

    Raises:
        Malformed: it is another frame, or a member is not what it should be.
    """
    number, is_read = frame.get("number"), frame.get("read", False)
    if frame.get("t") != "seen" or not _is_number(number) or not isinstance(is_read, bool):
        raise Malformed('What is seen is {"t":"seen","number":19}, or with "read":true.')
    return Seen(number, is_read)


def spoken(frame: Mapping[str, Any]) -> Said | Seen:
    """Whatever a script may say after its hello. Raises as `said` and `seen`."""
    return seen(frame) if frame.get("t") == "seen" else said(frame)


def shown(ours: Mapping[int, UUID]) -> list[bytes]:
    """Lines of ours by number, without their words, as they are recorded before what was `seen` of them."""
    lines = [{"t": "message", "number": number, "from": "agent", "id": str(ours[number])} for number in sorted(ours)]
    return [json.dumps(line, separators=(",", ":")).encode() for line in lines]


def listed(body: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first of recorded frames, which are a JSON list, and those of the script after it; ours are left out.

    Our welcome among them tells who a visitor is that came without an id.

    Raises:
        Malformed: no list of JSON objects.
    """
    first, others = _frames(body)
    return first, [frame for frame in others if not _is_ours(frame)]


def recorded(body: bytes) -> tuple[Hello, list[Said | Confirmed]]:
    """Frames of one socket; what was seen is told of the lines of ours among them.

    Raises:
        Malformed: as `listed`, `hello`, `said` and `seen`; or nobody says who the visitor is.
    """
    first, others = _frames(body)
    greeted = hello(first)
    if greeted.visitor is None:
        raise Malformed("Neither hello nor welcome says who the visitor is.")
    heard: list[Said | Confirmed] = []
    # By whether they were read: what each next word of it can still be about.
    ours: dict[bool, deque[tuple[int, UUID]]] = {False: deque(), True: deque()}
    for frame in others:
        if _is_line(frame):
            for lines in ours.values():
                lines.append((frame["number"], _uuid(frame["id"])))
        elif not _is_ours(frame):
            one = spoken(frame)
            heard.append(_confirmed(one, ours[one.is_read]) if isinstance(one, Seen) else one)
    return greeted, heard


def _confirmed(one: Seen, lines: deque[tuple[int, UUID]]) -> Confirmed:
    found: list[UUID] = []
    while lines and lines[0][0] <= one.number:
        found.append(lines.popleft()[1])
    return Confirmed(tuple(found), one.is_read)


def _frames(body: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = _json(body)
    if not isinstance(found, list) or not found or not all(isinstance(frame, dict) for frame in found):  # pyright: ignore[reportUnknownVariableType]
        raise Malformed("Recorded frames are a list of JSON objects, hello first.")
    first, *others = cast("list[dict[str, Any]]", found)
    if first.get("visitor") is None:
        drawn = next((frame["visitor"] for frame in others if frame.get("t") == "welcome" and "visitor" in frame), None)
        first = {**first, "visitor": drawn}
    return first, others


def _json(text: str | bytes) -> object:
    try:
        # Not orjson: it refuses half a surrogate pair, which a script may well send.
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"This is no JSON: {error}.") from error


def _is_ours(frame: Mapping[str, Any]) -> bool:
    # A list, not a set: what a script sends may have no hash.
    return frame.get("t") in ["welcome", "ack", "error"] or (frame.get("t") == "message" and "number" in frame)


def _is_line(frame: Mapping[str, Any]) -> bool:
    """Whether it is a line of ours that can be confirmed."""
    is_agents = frame.get("t") == "message" and frame.get("from") == "agent" and "id" in frame
    return is_agents and _is_number(frame.get("number"))


def _is_number(value: object) -> TypeGuard[int]:
    # A truth value is a number to Python.
    return type(value) is int and 0 <= value < 1 << 31


def _name(frame: Mapping[str, Any], member: str) -> str | None:
    value = frame.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not (value := clean(value)) or len(value) > _NAME_CHARS:
        raise Malformed(f"{member} is null or a text of at most {_NAME_CHARS} characters.")
    return value


def _uuid(value: object) -> UUID:
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise Malformed("id is a UUID, drawn by the script for each message.")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
