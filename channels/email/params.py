"""Content-Type and Content-Disposition: a token and its parameters (RFC 2045, RFC 2183, RFC 2231), broken or not."""

import re
from dataclasses import dataclass, field
from typing import Final

from channels.email.charset import decode
from channels.email.words import decoded

_MOST_CHARS: Final = 16_384
_FOLD: Final = re.compile(r"\r?\n|\r")
_NAME: Final = re.compile(r"[\s;]*([^\s=;\"()]+)\s*=\s*")
_FLAG: Final = re.compile(r"[\s;]*[^\s=;]*\s*(?=;|$)")
_BLANKS: Final = re.compile(r"\s+")
_NEXT_PARAMETER: Final = re.compile(r"[A-Za-z][\w.-]*\*?(?:\d{1,4}\*?)?\s*=(?![?])")
_SECTION: Final = re.compile(r"^(.+?)(?:\*(\d{1,9}))?(\*)?$")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A token with parameters; `main` is as written, names of parameters are in lower case."""

    main: str
    params: dict[str, str] = field(default_factory=dict[str, str])

    def get(self, name: str) -> str | None:
        """A parameter's value, or None when it is not there."""
        return self.params.get(name)


@dataclass(frozen=True, slots=True)
class MediaType:
    """`type/subtype` in lower case with its parameters; `subtype` is empty when the sender left it out."""

    type: str
    subtype: str
    params: dict[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}" if self.subtype else self.type


def media_type(value: str) -> MediaType | None:
    """Read a Content-Type; None when there is no type in it, so that the caller takes the default of RFC 2045."""
    labelled = read(value)
    main, _, sub = labelled.main.partition("/")
    if not main.strip():
        return None
    return MediaType(main.strip().lower(), sub.strip().lower(), labelled.params)


def read(value: str) -> Labelled:
    """Read `token; name=value; …`: comments dropped, semicolons and closing quotes may be missing."""
    value = _without_comments(_FOLD.sub("", value[:_MOST_CHARS]).strip())
    head = re.match(r"[^;\"]*?(?=;|\"|\s+[\w.*-]+\s*=|$)", value)
    main = re.sub(r"\s+", " ", head[0]).strip() if head else ""
    return Labelled(decoded(main), _joined(_pairs(value, head.end() if head else 0)))


def _without_comments(value: str) -> str:
    """Drop `(…)` outside quotes, but not inside a word: `Invoice(1).pdf` is a name."""
    if "(" not in value:
        return value
    out: list[str] = []
    depth, quoted, before = 0, False, " "
    for at, char in enumerate(value):
        if char == '"' and not depth and (at == 0 or value[at - 1] != "\\"):
            quoted = not quoted
        if not quoted and char == "(" and (depth or before in " \t;/"):
            depth += 1
        elif depth and char == ")":
            depth -= 1
        elif not depth:
            out.append(char)
        before = char
    return "".join(out)


def _pairs(value: str, at: int) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    while at < len(value):
        name = _NAME.match(value, at)
        if name is None:
            flag = _FLAG.match(value, at)
            at = flag.end() if flag and flag.end() > at else _after_semicolon(value, at)
            continue
        text, at = _value(value, name.end())
        pairs.append((name[1].lower(), text))
    return pairs


def _after_semicolon(value: str, at: int) -> int:
    found = value.find(";", at + 1)
    return len(value) if found < 0 else found


def _value(value: str, at: int) -> tuple[str, int]:
    """One value from `at`: quoted runs lose their quotes, a bare run ends at `;` or before the next `name=`."""
    out: list[str] = []
    while at < len(value) and value[at] != ";":
        if value[at] == '"':
            text, at = _quoted(value, at + 1)
            out.append(text)
        elif value[at].isspace():
            run = _BLANKS.match(value, at)
            at = run.end() if run else at + 1
            if at == len(value) or value[at] == ";" or _NEXT_PARAMETER.match(value, at):
                break
            out.append(run[0] if run else " ")
        else:
            out.append(value[at])
            at += 1
    return "".join(out), at


def _quoted(value: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    while at < len(value):
        char = value[at]
        if char == "\\" and value[at + 1 : at + 2] in {'"', "\\"}:
            out.append(value[at + 1])
            at += 2
            continue
        if char == '"':
            return "".join(out), at + 1
        out.append(char)
        at += 1
    return "".join(out), at


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Put the sections of RFC 2231 together; a plain value may hold encoded words, which many senders put there."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, value in pairs:
        match = _SECTION.match(name)
        if match is None or name.startswith("*"):
            continue
        if match[2] is None and match[3] is None:
            plain.setdefault(name, decoded(value) if "=?" in value else value)
        else:
            sections.setdefault(match[1], {}).setdefault(int(match[2] or 0), (match[3] is not None, value))
    for name, parts in sections.items():
        plain.update(_extended(name, [parts[number] for number in sorted(parts)]))
    return plain


def _extended(name: str, parts: list[tuple[bool, str]]) -> dict[str, str]:
    charset, language = None, ""
    is_extended, first = parts[0]
    if is_extended and first.count("'") >= 2:  # noqa: PLR2004
        charset, language, first = first.split("'", 2)
    data = b"".join(
        _percent(text.encode("utf_8", "surrogateescape")) if extended else text.encode("utf_8", "surrogateescape")
        for extended, text in [(is_extended, first), *parts[1:]]
    )
    text = decode(data, charset or None)
    found = {name: decoded(text) if "=?" in text else text}
    return found | {f"{name}-language": language} if language else found


def _percent(data: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes([int(match[1], 16)]), data)
