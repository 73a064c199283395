"""Small damage to a request, as bad networks, old programs and people with intent do it."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from channels.contract import Channel, InboundRequest
from channels.errors import Malformed
from services.ops.signers import SIGNERS, Outgoing, Stamp, signed
from tests.fuzz.values import changed
from tests.fuzz.words import CHARSETS, NUMBERS, PIECES, TYPES

MOST_BYTES: Final = 256 * 1024
_TOKEN: Final = re.compile(rb"[^\s=&;:,<>\"{}\[\]()]+")
_VALUE: Final = re.compile(rb"[0-9]+")
_CHARSET: Final = re.compile(rb"charset=[^;\s]+|=\?[\w-]+(?=\?)", re.IGNORECASE)

Change = Callable[[bytes, Random], bytes]


def _span(body: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(body) + 1)
    length = chance.choice((1, 2, 8, 40, 400, len(body)))
    return start, min(len(body), start + chance.randint(0, length))


def _cut(body: bytes, chance: Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + body[end:]


def _repeated(body: bytes, chance: Random) -> bytes:
    start, end = _span(body, chance)
    return body[:end] + body[start:end] * chance.choice((1, 1, 1, 3, 3, 50, 50, 2000)) + body[end:]


def _noise(body: bytes, chance: Random) -> bytes:
    broken = bytearray(body or b"\0")
    for _ in range(chance.choice((1, 4, 32))):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


def _inserted(body: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(PIECES) + body[at:]


def _replaced(pattern: re.Pattern[bytes], words: Sequence[bytes]) -> Change:
    def change(body: bytes, chance: Random) -> bytes:
        found = pattern.search(body, chance.randrange(len(body) + 1)) or pattern.search(body)
        if found is None:
            return body
        return body[: found.start()] + chance.choice(words) + body[found.end() :]

    return change


def _lines(body: bytes, chance: Random) -> bytes:
    """A line is moved, doubled or folded."""
    lines = body.splitlines(keepends=True) or [b""]
    line = lines[chance.randrange(len(lines))]
    match chance.randrange(3):
        case 0:
            lines.remove(line)
        case 1:
            line = line.replace(b": ", b":\r\n ", 1)
        case _:
            pass
    lines.insert(chance.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _encoded(body: bytes, chance: Random) -> bytes:
    """A piece in other clothes."""
    start, end = _span(body, chance)
    piece = body[start:end][:2000]
    match chance.randrange(5):
        case 0:
            piece = b"".join(b"%%%02x" % byte for byte in piece[:200])
        case 1:
            piece = b64encode(piece)
        case 2:
            piece = b"=?utf-8?B?" + b64encode(piece[:60]) + b"?="
        case 3:
            piece = piece.decode("latin_1").encode(chance.choice(("utf_16", "utf_8", "utf_7")))
        case _:
            piece = b"".join(b"=%02X" % byte for byte in piece[:200])
    return body[:start] + piece + body[end:]


def _nested(body: bytes, chance: Random) -> bytes:
    """As a mail within a mail, or a part beside itself."""
    mark = chance.choice((b"b", b"", b"=_x y", b"b" * 80))
    kind = chance.choice(TYPES)
    return (
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="%b"\r\n\r\n--%b\r\n'
        b"Content-Type: %b\r\n\r\n%b\r\n--%b--\r\n" % (mark, mark, kind, body, mark)
    )


CHANGES: Final[tuple[Change, ...]] = (
    _cut,
    _repeated,
    _noise,
    _inserted,
    _inserted,
    _replaced(_TOKEN, (*PIECES, *NUMBERS)),
    _replaced(_VALUE, NUMBERS),
    _replaced(_CHARSET, tuple(b"charset=" + name for name in CHARSETS) + tuple(b"=?" + name for name in CHARSETS)),
    _lines,
    _encoded,
    _nested,
)


def _spliced(body: bytes, other: bytes, chance: Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)] + other[chance.randrange(len(other) + 1) :]


def broken(request: InboundRequest, others: Sequence[InboundRequest], chance: Random) -> InboundRequest:
    """The request with one to four changes: most to its body, some to its headers and URL."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        where = chance.randrange(20)
        whole = changed(request.body, chance) if chance.randrange(3) else request.body
        if whole != request.body:
            request = replace(request, body=whole[:MOST_BYTES])
            continue
        if where == 0 and request.headers:
            request = replace(request, headers=_headers(request.headers, chance))
        elif where == 1:
            request = replace(request, url=_url(request.url, chance))
        elif where in {2, 3}:
            request = replace(request, body=_spliced(request.body, chance.choice(others).body, chance)[:MOST_BYTES])
        else:
            request = replace(request, body=chance.choice(CHANGES)(request.body, chance)[:MOST_BYTES])
    return request


def genuine(name: str, parser: Channel, request: InboundRequest) -> InboundRequest:
    """The request as if its provider had sent it so; as it is where that cannot be."""
    if name not in SIGNERS:
        return request
    outgoing = Outgoing(request.method, request.url, request.headers, request.body)
    stamp = Stamp(request.origin, request.received_at - timedelta(seconds=30), "n0nce-n0nce-n0nce")
    try:
        sent = signed(name, parser, outgoing, stamp)
    except (Malformed, ValueError, TypeError):
        # The tool that signs takes requests that a provider could send; most of ours no provider would.
        return request
    return replace(request, url=sent.url, headers=sent.headers, body=sent.body)


def _headers(headers: tuple[tuple[str, str], ...], chance: Random) -> tuple[tuple[str, str], ...]:
    at = chance.randrange(len(headers))
    name, value = headers[at]
    return (*headers[:at], (name, _text(value, chance)), *headers[at + 1 :])


def _url(url: str, chance: Random) -> str:
    """Behind the host, which is our own."""
    host = "/".join([*url.split("/", 3)[:3], ""]) if "//" in url else ""
    return host + _text(url.removeprefix(host), chance)


def _text(text: str, chance: Random) -> str:
    """Header values and URLs come to a channel as Latin-1."""
    return chance.choice(CHANGES[:7])(text.encode("latin_1", "replace"), chance)[:8192].decode("latin_1")
