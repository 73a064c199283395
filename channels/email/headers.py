"""The header block of a mail or of one of its parts, line by line (RFC 5322, RFC 6532)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from channels.email.charset import decode
from channels.email.words import decoded, unfolded
from channels.errors import Malformed

_MOST_HEADER_BYTES: Final = 1_048_576
_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FIELD: Final = re.compile(rb"([!-9;-~\x80-\xff]{1,200})[ \t]*:")
_MAILBOX_MARK: Final = re.compile(rb">?From [^\r\n:]*[ \t]")


_EIGHT_BIT: Final = re.compile(rb"[\x80-\xff]")
_CHARSET: Final = re.compile(rb"charset\s*=\s*\"?([\w.:+-]{1,60})", re.IGNORECASE)
_RAW_IN_WORD: Final = re.compile(rb"(=\?[\w.:+*-]{1,60}\?[qQ]\?)([^?\r\n]{1,1000})(?=\?=)")


def _escaped(word: re.Match[bytes]) -> bytes:
    """Raw bytes inside an encoded word belong to its charset, so they must survive the decoding of the field."""
    return word[1] + _EIGHT_BIT.sub(lambda byte: b"=%02X" % byte[0][0], word[2])


@dataclass(frozen=True, slots=True)
class Header:
    """One field. `raw` is the value as it came, folds included; `text` is what a person would read."""

    name: str
    raw: bytes
    charset: str | None = None
    """What the same header block declares for its body: the best guess for raw 8-bit bytes that are no UTF-8."""

    @property
    def source(self) -> str:
        """The value as text, folds and encoded words untouched; raw 8-bit bytes are UTF-8 (RFC 6532), else guessed."""
        if self.raw.isascii():
            return self.raw.decode("ascii")
        try:
            return self.raw.decode("utf_8")
        except UnicodeDecodeError:
            return decode(_RAW_IN_WORD.sub(_escaped, self.raw), self.charset)

    @property
    def text(self) -> str:
        """Unfolded, encoded words decoded (RFC 2047)."""
        return decoded(self.source)


@dataclass(frozen=True, slots=True)
class Headers:
    """All fields in their order; names compare without case."""

    fields: tuple[Header, ...]

    def __iter__(self) -> Iterator[Header]:
        return iter(self.fields)

    def all(self, name: str) -> list[Header]:
        """Every field of this name, top to bottom."""
        wanted = name.lower()
        return [field for field in self.fields if field.name.lower() == wanted]

    def first(self, name: str) -> Header | None:
        """The first field of this name that says something, else None."""
        return next((field for field in self.all(name) if field.raw.strip()), None)

    def source(self, name: str) -> str | None:
        """The first value of this name with encoded words untouched."""
        field = self.first(name)
        return None if field is None else field.source

    def text(self, name: str) -> str | None:
        """The first value of this name as a person would read it."""
        field = self.first(name)
        return None if field is None else field.text

    def token(self, name: str) -> str:
        """The first value of this name, unfolded and in lower case, for fields that hold a keyword; "" when absent."""
        field = self.first(name)
        return "" if field is None else unfolded(field.source).lower()


def split(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """Read the header block of `raw[start:end]`; returns it with the offset where the body begins.

    A line that is no field is skipped when more fields follow before the blank line; else, or when it is a delimiter
    line, the body begins there, for senders that forget the blank line.

    Raises:
        Malformed: a header block of more than 1 MiB.
    """
    end = len(raw) if end is None else end
    lines = _header_lines(raw, start, end)
    fields: list[tuple[bytes, list[bytes]]] = []
    body = end
    for at, line in lines:
        if not line.strip(b"\r\n"):
            body = at + len(line)
            break
        if at - start > _MOST_HEADER_BYTES:
            raise Malformed("The header block of this mail is longer than 1 MiB.")
        if line[:1] in {b" ", b"\t"}:
            if fields:
                fields[-1][1].append(line)
            continue
        match = _FIELD.match(line)
        if match:
            fields.append((match[1], [line[match.end() :]]))
        elif line.startswith(b"--") or (not _MAILBOX_MARK.match(line) and _body_begins(raw, at + len(line), end)):
            body = at
            break
    return Headers(_with_charset([(name.decode("latin_1"), b"".join(parts)) for name, parts in fields])), body


def _with_charset(fields: list[tuple[str, bytes]]) -> tuple[Header, ...]:
    declared = None
    if not all(value.isascii() for _, value in fields):
        types = (value for name, value in fields if name.lower() == "content-type")
        match = _CHARSET.search(next(types, b""))
        declared = match[1].decode("ascii") if match and match[1].lower() not in {b"utf-8", b"us-ascii"} else None
    return tuple(Header(name, value, declared) for name, value in fields)


def _header_lines(raw: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    at = start
    while at < end:
        match = _LINE.match(raw, at, end)
        line = match[0] if match else raw[at:end]
        yield at, line
        at += len(line)


def _body_begins(raw: bytes, at: int, end: int) -> bool:
    """Whether no further field stands between here and the blank line: the body has begun without one."""
    for _, line in islice(_header_lines(raw, at, end), 16):
        if not line.strip(b"\r\n"):
            return False
        if _FIELD.match(line):
            return False
    return True
