"""The header block of a mail or of one of its parts, line by line (RFC 5322, RFC 6532)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from channels.email.charset import decode
from channels.email.words import decoded, unfolded
from channels.errors import Malformed

_MOST_HEADER_BYTES: Final = 1_048_576
_MOST_FIELDS: Final = 5000
_MOST_LINES_AHEAD: Final = 16
_LINE: Final = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_FOLDS: Final = re.compile(rb"(?:[ \t][^\r\n]*+(?:\r\n|\n|\r|\Z))*+")
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
    by_name: dict[str, list[Header]] = field(
        default_factory=dict[str, list[Header]], init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """Sort the fields by name once: mails come with thousands, and are asked for dozens of names."""
        for one in self.fields:
            self.by_name.setdefault(one.name.lower(), []).append(one)

    def __iter__(self) -> Iterator[Header]:
        return iter(self.fields)

    def all(self, name: str) -> list[Header]:
        """Every field of this name, top to bottom."""
        return self.by_name.get(name.lower(), [])

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
        Malformed: a header block of more than 1 MiB, or of more than 5,000 fields.
    """
    end = len(raw) if end is None else end
    fields: list[tuple[str, bytes]] = []
    at = start
    while at < end and raw[at] not in b"\r\n":
        line = _matched(_LINE, raw, at, end)
        after = at + len(line)
        if match := _FIELD.match(line):
            folds = _matched(_FOLDS, raw, after, end)
            fields.append((match[1].decode("latin_1"), line[match.end() :] + folds))
            at = after + len(folds)
        elif line.startswith((b" ", b"\t")) or _MAILBOX_MARK.match(line):
            at = after
        elif line.startswith(b"--") or (resumed := _next_field(raw, after, end)) is None:
            return Headers(_with_charset(fields)), at
        else:
            at = resumed
        _check(len(fields), at - start)
    return Headers(_with_charset(fields)), at + len(_matched(_LINE, raw, at, end))


def _check(fields: int, length: int) -> None:
    if length > _MOST_HEADER_BYTES:
        raise Malformed("The header block of this mail is longer than 1 MiB.")
    if fields > _MOST_FIELDS:
        raise Malformed(f"The header block of this mail has more than {_MOST_FIELDS} fields.")


def _with_charset(fields: list[tuple[str, bytes]]) -> tuple[Header, ...]:
    declared = None
    if not all(value.isascii() for _, value in fields):
        types = (value for name, value in fields if name.lower() == "content-type")
        match = _CHARSET.search(next(types, b""))
        declared = match[1].decode("ascii") if match and match[1].lower() not in {b"utf-8", b"us-ascii"} else None
    return tuple(Header(name, value, declared) for name, value in fields)


def _matched(pattern: re.Pattern[bytes], raw: bytes, at: int, end: int) -> bytes:
    match = pattern.match(raw, at, end)
    return match[0] if match else b""


def _next_field(raw: bytes, at: int, end: int) -> int | None:
    """Where the next field or the blank line stands; None when both are far: the body has begun without one."""
    for _ in range(_MOST_LINES_AHEAD):
        line = _matched(_LINE, raw, at, end)
        if not line:
            return None
        if not line.strip(b"\r\n") or _FIELD.match(line):
            return at
        at += len(line)
    return None
