"""Where the parts of a multipart begin and end (RFC 2046 section 5.1.1), its delimiters broken or not."""

import re
from dataclasses import dataclass
from typing import Final

from channels.email.effort import Effort
from channels.email.headers import Header, Headers, split
from channels.email.params import MediaType, media_type

_MOST_BLANKS_BEHIND: Final = 256
_LONGEST_BARE_TYPE: Final = 1000
_REST_OF_LINE: Final = re.compile(rb"[^\r\n]*+(?:\r*+\n|\r)?")


def declared_type(headers: Headers, default: MediaType) -> MediaType:
    """The last Content-Type counts: a second one belongs to a part whose delimiter was lost."""
    for header in reversed(headers.all("Content-Type")):
        if found := media_type(header.source):
            return found
    return default


@dataclass(frozen=True, slots=True)
class Section:
    """One part: `raw[start:end]`, and whether a delimiter ends it."""

    start: int
    end: int
    is_closed: bool


def _boundary(media: MediaType) -> bytes:
    return media.params.get("boundary", "").rstrip().encode("utf_8", "surrogateescape")


def sections(raw: bytes, start: int, end: int, media: MediaType, effort: Effort) -> list[Section] | None:
    """The parts of a multipart in `raw[start:end]`; None when it has none but text, which then has to be shown.

    Raises:
        Malformed: what `effort` bounds.
    """
    boundary = _boundary(media)
    if not boundary:
        return [] if not raw[start:end].strip() else None
    marks = _marks(raw, start, end, b"--" + boundary, effort)
    marks = _with_glued_end(raw, end, _without_inner(raw, marks, boundary), b"--" + boundary)
    found: list[Section] = []
    for at, mark in enumerate(marks):
        if mark.closes:
            continue
        is_closed = at + 1 < len(marks)
        stop = _without_line_end(raw, mark.after, marks[at + 1].begin) if is_closed else end
        if is_closed and _is_void(raw, mark.after, marks[at + 1].begin):
            effort.add(fields=1)
        else:
            found.append(Section(mark.after, stop, is_closed))
    if found:
        return found
    begins = [*(mark.begin for mark in marks), end]
    behind = (raw[mark.after : begins[at + 1]] for at, mark in enumerate(marks) if mark.closes)
    return None if raw[start : begins[0]].strip() or any(text.strip() for text in behind) else []


@dataclass(frozen=True, slots=True)
class _Mark:
    """A delimiter line: where it begins, where the next line begins, whether it closes its multipart."""

    begin: int
    after: int
    closes: bool


def _marks(raw: bytes, start: int, end: int, delimiter: bytes, effort: Effort) -> list[_Mark]:
    """The delimiter lines of one multipart.

    RFC 2046 only compares the beginning of the line; but boundaries that begin another one are so common that such
    lines count only when there are no others.
    """
    marks: list[_Mark] = []
    longer: list[_Mark] = []
    at = raw.find(delimiter, start, end)
    while at >= 0:
        after = at + len(delimiter)
        effort.look()
        if at == start or raw[at - 1] in b"\r\n":
            line_end = _line_end(raw, after, end)
            rest = raw[after:line_end].strip(b" \t\r\n")
            (marks if rest in {b"", b"--"} else longer).append(_Mark(at, line_end, rest.startswith(b"--")))
            after = line_end
        at = raw.find(delimiter, after, end)
    return marks or longer


def _without_inner(raw: bytes, marks: list[_Mark], boundary: bytes) -> list[_Mark]:
    """Of an inner multipart whose boundary is ours and `--`, each delimiter looks like our end: only the last is it."""
    closing = next((at for at, mark in enumerate(marks) if mark.closes), 0)
    if not closing or not any(mark.closes for mark in marks[closing + 1 :]):
        return marks
    inner = declared_type(split(raw, marks[closing - 1].after, marks[closing].begin)[0], MediaType("text", "plain"))
    if inner.type != "multipart" or _boundary(inner) != boundary + b"--":
        return marks
    last = max(at for at, mark in enumerate(marks) if mark.closes)
    return [mark for at, mark in enumerate(marks) if at == last or not mark.closes]


def _with_glued_end(raw: bytes, end: int, marks: list[_Mark], delimiter: bytes) -> list[_Mark]:
    """The end of a multipart that was written without the line end before it, when nothing stands behind it."""
    if not marks or any(mark.closes for mark in marks):
        return marks
    closing = delimiter + b"--"
    tail = raw[max(marks[-1].after, end - len(closing) - _MOST_BLANKS_BEHIND) : end].rstrip(b" \t\r\n")
    if not tail.endswith(closing):
        return marks
    begin = raw.rfind(closing, marks[-1].after, end)
    return [*marks, _Mark(begin, end, closes=True)]


def _is_void(raw: bytes, start: int, stop: int) -> bool:
    """Whether nobody began to write this part: two delimiters in a row, or a bare Content-Type and no blank line."""
    if stop == start:
        return True
    stop = _without_line_end(raw, start, stop)
    if stop == start or stop - start > _LONGEST_BARE_TYPE or raw[stop - 1] in b"\r\n":
        return False
    headers, body = split(raw, start, stop)
    return body == stop and bool(headers.fields) and all(_is_bare_type(field) for field in headers)


def _is_bare_type(header: Header) -> bool:
    if header.name.lower() != "content-type":
        return False
    media = media_type(header.source)
    return media is None or (media.type == "text" and media.params.keys() <= {"charset", "format", "delsp"})


def _line_end(raw: bytes, at: int, end: int) -> int:
    match = _REST_OF_LINE.match(raw, at, end)
    return match.end() if match else end


def _without_line_end(raw: bytes, start: int, end: int) -> int:
    if end > start and raw[end - 1 : end] == b"\n":
        end -= 1
    if end > start and raw[end - 1 : end] == b"\r":
        end -= 1
    return end
