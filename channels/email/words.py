"""Encoded words and folding in header values (RFC 2047, RFC 5322 section 2.2.3), as senders really write them."""

import binascii
import re
from dataclasses import dataclass
from typing import Final

from channels.email.charset import decode

_OPENING: Final = re.compile(r"=\?([\w.:+-]*)(?:\*[\w-]*)?\?([bBqQ])\?")
_FOLD: Final = re.compile(r"(?<![ \t])[ \t]*+[\r\n]++[ \t]*+")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
_CONTROLS: Final = re.compile(r"[\r\n]+")
_MOST_PIECES: Final = 1000
_MOST_GUESSED: Final = 20
"""So many pieces may have the charset of their broken words found by statistics."""


@dataclass(slots=True)
class _Word:
    charset: str
    is_base64: bool
    payload: str


def unfolded(value: str) -> str:
    """One line: every fold with the blanks around it becomes one space."""
    return _FOLD.sub(" ", value).strip(" \t\r\n")


def decoded(value: str, *, by_statistics: bool = True) -> str:
    """The readable form of an unstructured header value.

    Neighbouring words of one charset are joined as bytes before decoding, because many senders cut a character in two;
    white space between two words is not shown (RFC 2047 section 6.2). A broken word stays as it was written, and so do
    the ones behind the first 500 or more.
    """
    if "=?" not in value:
        return unfolded(value)
    out: list[str] = []
    pending: list[_Word] = []
    for piece in _pieces(value):
        if isinstance(piece, _Word):
            pending.append(piece)
        elif piece.strip() or not pending:
            _flush(pending, out, by_statistics=by_statistics)
            out.append(piece)
    trailing = pending and not out
    _flush(pending, out, by_statistics=by_statistics)
    text = unfolded("".join(out))
    return text if not trailing else text.strip()


def _flush(pending: list[_Word], out: list[str], *, by_statistics: bool) -> None:
    is_worth_it = by_statistics and len(out) < _MOST_GUESSED
    out.extend(_CONTROLS.sub(" ", text) for text in _texts(pending, by_statistics=is_worth_it))
    pending.clear()


def _pieces(value: str) -> list[_Word | str]:
    """Plain text and words in turn. The next `?=` is looked up once, so hostile input stays linear."""
    found: list[_Word | str] = []
    at, closing = 0, -1
    for opening in _OPENING.finditer(value):
        if opening.start() < at:
            continue
        if closing < opening.end():
            closing = value.find("?=", opening.end())
        if closing < 0 or len(found) > _MOST_PIECES:
            break
        if opening.start() > at:
            found.append(value[at : opening.start()])
        payload = _FOLD.sub("", value[opening.end() : closing])
        found.append(_Word(opening[1], opening[2] in "bB", payload))
        at = closing + 2
    if at < len(value):
        found.append(value[at:])
    return found


def _texts(words: list[_Word], *, by_statistics: bool) -> list[str]:
    texts: list[str] = []
    run: list[_Word] = []
    for word in words:
        if run and run[-1].charset.lower() != word.charset.lower():
            texts.append(_text(run, by_statistics=by_statistics and len(texts) < _MOST_GUESSED))
            run = []
        run.append(word)
    if run:
        texts.append(_text(run, by_statistics=by_statistics and len(texts) < _MOST_GUESSED))
    return texts


def _text(run: list[_Word], *, by_statistics: bool) -> str:
    data = b"".join(_base64(word.payload) if word.is_base64 else _quoted(word.payload) for word in run)
    return decode(data, run[0].charset or None, by_statistics=by_statistics)


def _quoted(payload: str) -> bytes:
    data = _bytes(payload).replace(b"_", b" ")
    return _HEX.sub(lambda match: bytes([int(match[1], 16)]), data)


def _base64(payload: str) -> bytes:
    data = _NOT_BASE64.sub(b"", _bytes(payload))
    data = data[: len(data) - (len(data) % 4 == 1)]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def _bytes(payload: str) -> bytes:
    return payload.encode("utf_8", "surrogateescape")
