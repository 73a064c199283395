"""Address headers (RFC 5322 section 3.4, with the obsolete forms and the ones nobody ever allowed)."""

import re
from dataclasses import dataclass, field
from typing import Final

from channels.email.words import decoded, unfolded

_MOST_CHARS: Final = 32_768
_MOST_MAILBOXES: Final = 500
_SPECIAL: Final = re.compile(r'[\\"(<,;:]')
_SEPARATORS: Final = re.compile(r"[\s,;]+")
_MOST_GUESSED: Final = 40
"""So many words may have their charset found by statistics."""

_MOST_CHECKED_CHARS: Final = 2048
_LOOSE: Final = re.compile(r"(?<!\s)\s*+([.@])\s*+")
_PLAIN_WORDS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header. `address` is empty when the sender gave only a name."""

    name: str
    address: str
    group: str = ""

    def __str__(self) -> str:
        """As it may stand in a header that takes UTF-8 (RFC 6532): the name quoted unless it is plain words."""
        if not self.name:
            return self.address
        if _PLAIN_WORDS.fullmatch(self.name):
            return f"{self.name} <{self.address}>"
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.address}>'


@dataclass(slots=True)
class _Entry:
    """What has been read of the mailbox at hand."""

    words: list[str] = field(default_factory=list[str])
    comments: list[str] = field(default_factory=list[str])
    angle: str | None = None
    has_at: bool = False

    def is_empty(self) -> bool:
        return self.angle is None and not self.comments and not "".join(self.words).strip()


def addresses(value: str) -> list[Address]:
    """The mailboxes of an address header in order, groups opened (each mailbox keeps its group's name).

    Reads up to 500 of them, and the first 32,768 characters.
    """
    return _Reader(value[:_MOST_CHARS]).read()


def groups(value: str) -> list[str]:
    """The names of the groups in an address header, empty ones included."""
    reader = _Reader(value[:_MOST_CHARS])
    reader.read()
    return reader.group_names


def is_well_formed(value: str) -> bool:
    """Whether every mailbox in the header is one: an address alone, or a name with its address in angle brackets.

    Looks at the first 2,048 characters.
    """
    reader = _Reader(value[:_MOST_CHECKED_CHARS].rpartition(",")[0] if len(value) > _MOST_CHECKED_CHARS else value)
    return all("@" in person.address.strip("@") for person in reader.read()) and not reader.is_broken


class _Reader:
    def __init__(self, value: str) -> None:
        self.value = value
        self.found: list[Address] = []
        self.group_names: list[str] = []
        self.group = ""
        self.after_semicolon = False
        self.is_broken = False
        self.decoded = 0
        self.entry = _Entry()

    def read(self) -> list[Address]:
        at = 0
        while at < len(self.value) and len(self.found) + len(self.group_names) < _MOST_MAILBOXES:
            at = self._after_separators(at)
            special = _SPECIAL.search(self.value, at)
            stop = special.start() if special else len(self.value)
            self._word(self.value[at:stop])
            at = self._special(stop) if special else stop
        self._close()
        return self.found

    def _word(self, text: str) -> None:
        self.entry.words.append(text)
        self.entry.has_at = self.entry.has_at or "@" in text

    def _after_separators(self, at: int) -> int:
        """Empty entries say nothing; senders leave thousands of them."""
        if self.entry.words or self.entry.comments or self.entry.angle is not None or self.group:
            return at
        found = _SEPARATORS.match(self.value, at)
        return found.end() if found else at

    def _special(self, at: int) -> int:
        match self.value[at]:
            case "\\":
                self._word(self.value[at + 1 : at + 2])
                return at + 2
            case '"':
                text, at = _until(self.value, at + 1, '"')
                self._word(f'"{text}"' if "@" not in text and self._in_local_part(at) else text)
                return at
            case "(":
                return self._comment(at)
            case "<":
                return self._angle(at)
            case ":":
                self._open_group(at)
            case separator:
                self._close()
                self.after_semicolon = separator == ";"
                self.group = "" if self.after_semicolon else self.group
        return at + 1

    def _in_local_part(self, at: int) -> bool:
        """A quoted string directly before `@` is a local part, not a name."""
        return self.value[at : at + 1] == "@"

    def _comment(self, at: int) -> int:
        text, at = _comment_text(self.value, at + 1)
        self.entry.comments.append(self._decoded(text))
        return at

    def _angle(self, at: int) -> int:
        out: list[str] = []
        has_at = False
        at += 1
        while at < len(self.value) and (char := self.value[at]) != ">":
            if char == "(":
                at = self._comment(at)
                continue
            if char == "<" and not has_at:
                out.clear()
            else:
                out.append(char)
            has_at = has_at or char == "@"
            at += 1
        if self.entry.angle is None:
            self.entry.angle = unfolded("".join(out))
        return at + 1

    def _open_group(self, at: int) -> None:
        """`name:` opens a group, but a colon after an address or in a URL does not."""
        if self.entry.has_at or self.entry.angle is not None or self.value.startswith("//", at + 1):
            self.entry.words.append(":")
            return
        words = "".join(self.entry.words).strip()
        if not words:
            self.entry.words.clear()
            return
        self.group = _with_comments(self._decoded(words), self.entry.comments)
        self.group_names.append(self.group)
        self.entry = _Entry()

    def _close(self) -> None:
        entry, self.entry = self.entry, _Entry()
        if entry.is_empty():
            return
        words = unfolded("".join(entry.words))
        if entry.angle is None and "@" in words:
            address, name = _bare(words)
            name = self._decoded(name)
            self.is_broken = self.is_broken or bool(name)
        elif entry.angle is None:
            address, name = (
                (words, "") if entry.comments and " " not in words else ("", self._decoded("".join(entry.words)))
            )
        else:
            address, name = entry.angle, self._decoded("".join(entry.words))
        name = _with_comments(_SPACES.sub(" ", name), entry.comments)
        if name.lower() == address.lower():
            name = ""
        surname = self._surname() if entry.angle is not None and name else ""
        self.found.append(
            Address(
                name=surname + name,
                address=_tight(self._decoded(address) if "=?" in address else address),
                group=self.group,
            )
        )

    def _decoded(self, text: str) -> str:
        self.decoded += 1
        return decoded(text, by_statistics=self.decoded <= _MOST_GUESSED)

    def _surname(self) -> str:
        """`Doe, John <…>` without quotes: the part before the comma is no mailbox of its own."""
        if not self.found or self.found[-1].address or self.found[-1].group != self.group or self.after_semicolon:
            return ""
        return f"{self.found.pop().name}, "


def _tight(address: str) -> str:
    """White space around dots and the at sign means nothing (RFC 5322 section 4.4)."""
    return _LOOSE.sub(r"\1", address)


def _bare(words: str) -> tuple[str, str]:
    """`Name name@host` and `name@host Name` without angle brackets: the word with the at sign is the address."""
    words = _tight(words)
    if " " not in words:
        return words, ""
    parts = words.split()
    marked = [part for part in parts if "@" in part.strip("@")]
    if len(marked) != 1:
        return words, ""
    address = marked[0]
    rest = [part for part in parts if part != address]
    return address.strip("'\""), " ".join(rest)


def _until(value: str, at: int, end: str) -> tuple[str, int]:
    out: list[str] = []
    while at < len(value):
        char = value[at]
        if char == "\\" and at + 1 < len(value):
            out.append(value[at + 1])
            at += 2
            continue
        if char == end:
            return "".join(out), at + 1
        out.append(char)
        at += 1
    return "".join(out), at


def _comment_text(value: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    depth = 1
    while at < len(value):
        char = value[at]
        at += 1
        if char == "\\" and at < len(value):
            out.append(value[at])
            at += 1
            continue
        depth += (char == "(") - (char == ")")
        if not depth:
            break
        out.append(char)
    return "".join(out), at


def _with_comments(name: str, comments: list[str]) -> str:
    said = _SPACES.sub(" ", " ".join(comments)).strip()
    if not said:
        return name
    return f"{name} ({said})" if name else said
