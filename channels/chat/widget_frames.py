"""The frames of the subprotocol `tamas.chat.v1`: JSON objects, one a message of the socket, named by their `t`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast
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
    # A truth value is a number to Python.
    if type(after) is not int or not 0 <= after < 1 << 31:
        raise Malformed("after is the last number that was seen, or 0.")
    return Hello(_name(frame, "visitor"), _name(frame, "proof"), after)


def said(frame: Mapping[str, Any]) -> Said:
    """A message of a visitor.

    Raises:
        Malformed: it is another frame, has no UUID, no text, or more than 4,000 characters.
    """
    if frame.get("t") != "message" or "number" in frame:
        raise Malformed('After hello a frame is {"t":"message","id","text"}.')
    text = frame.get("text")
    if not isinstance(text, str) or not (text := clean(text)):
        raise Malformed("text is missing or empty.")
    if len(text) > TEXT_CHARS:
        raise Malformed(f"The text has {len(text)} characters; {TEXT_CHARS} are the most.")
    return Said(_uuid(frame.get("id")), text)


def listed(body: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first of recorded frames, which are a JSON list, and those of the script after it; ours are left out.

    Our welcome among them tells who a visitor is that came without an id.

    Raises:
        Malformed: no list of JSON objects.
    """
    found = _json(body)
    if not isinstance(found, list) or not found or not all(isinstance(frame, dict) for frame in found):  # pyright: ignore[reportUnknownVariableType]
        raise Malformed("Recorded frames are a list of JSON objects, hello first.")
    first, *others = cast("list[dict[str, Any]]", found)
    if first.get("visitor") is None:
        drawn = next((frame["visitor"] for frame in others if frame.get("t") == "welcome" and "visitor" in frame), None)
        first = {**first, "visitor": drawn}
    return first, [frame for frame in others if not _is_ours(frame)]


def recorded(body: bytes) -> tuple[Hello, list[Said]]:
    """Frames of one socket, as `listed`.

    Raises:
        Malformed: as `hello` and `said`; or nobody says who the visitor is.
    """
    first, others = listed(body)
    greeted = hello(first)
    if greeted.visitor is None:
        raise Malformed("Neither hello nor welcome says who the visitor is.")
    return greeted, [said(frame) for frame in others]


def _json(text: str | bytes) -> object:
    try:
        # Not orjson: it refuses half a surrogate pair, which a script may well send.
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"This is no JSON: {error}.") from error


def _is_ours(frame: Mapping[str, Any]) -> bool:
    # A list, not a set: what a script sends may have no hash.
    return frame.get("t") in ["welcome", "ack", "error"] or (frame.get("t") == "message" and "number" in frame)


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
