"""Damage that leaves JSON and forms whole: one value is another, is gone or is there twice."""

import json
from random import Random
from typing import Any, Final, cast
from urllib.parse import quote_from_bytes

from tests.fuzz.words import NUMBERS, PIECES

_WORDS: Final = (*PIECES, *NUMBERS)
_OTHER: Final[tuple[Any, ...]] = (
    None,
    True,
    [],
    {},
    0,
    -1,
    1.5,
    1 << 70,
    "",
    "\0",
    "\ud800",
    "x" * 5000,
    ["a"],
    {"t": "hello"},
)


def changed(body: bytes, chance: Random) -> bytes:
    """The body with one value changed; as it is when it is neither JSON nor a form."""
    if body[:1] in {b"[", b"{"}:
        try:
            return json.dumps(_in_json(json.loads(body), chance)).encode()
        except (ValueError, RecursionError):
            return body
    return _in_form(body, chance) if b"=" in body and b"\n" not in body else body


def _in_json(found: Any, chance: Random) -> Any:
    if isinstance(found, dict) and found:
        members = cast("dict[str, Any]", found)
        name = chance.choice(list(members))
        match chance.randrange(8):
            case 0:
                return {other: value for other, value in members.items() if other != name}
            case 1:
                return {**members, _text(chance): members[name]}
            case _:
                return {**members, name: _in_json(members[name], chance)}
    if isinstance(found, list) and found:
        items = list(cast("list[Any]", found))
        at = chance.randrange(len(items))
        if chance.randrange(5) == 0:
            items.insert(chance.randrange(len(items) + 1), items[at])
        else:
            items[at] = _in_json(items[at], chance)
        return items
    return _leaf(found, chance)


def _leaf(found: Any, chance: Random) -> Any:
    if isinstance(found, str) and chance.randrange(3):
        at = chance.randrange(len(found) + 1)
        return found[:at] + _text(chance) + found[at + chance.choice((0, 1, 9)) :]
    return chance.choice(_OTHER) if chance.randrange(2) else _text(chance)


def _text(chance: Random) -> str:
    return chance.choice(_WORDS).decode("utf_8", "replace")


def _in_form(body: bytes, chance: Random) -> bytes:
    pairs = body.split(b"&")
    at = chance.randrange(len(pairs))
    name, _, value = pairs[at].partition(b"=")
    match chance.randrange(6):
        case 0:
            del pairs[at]
        case 1:
            pairs.insert(chance.randrange(len(pairs) + 1), pairs[at])
        case 2:
            pairs[at] = name + b"=" + chance.choice(pairs).partition(b"=")[2]
        case _:
            start = chance.randrange(len(value) + 1)
            word = quote_from_bytes(chance.choice(_WORDS)).encode()
            pairs[at] = name + b"=" + value[:start] + word + value[start + chance.choice((0, 1, len(value))) :]
    return b"&".join(pairs)
