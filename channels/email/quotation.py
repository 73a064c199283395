"""Where a quotation begins: the line, or the few lines, in which a mail program announces it."""

import re
from typing import Final

from channels.email import reply_words as words

LINE_CHARS: Final = 400
"""So much of a line is looked at, so that a hostile text costs no more than a long one."""

_HEADER_LINES: Final = 6
_FIELD_LINES: Final = 14
_QUOTE_MARK: Final = re.compile(r"^[ \t]{0,3}>")
_ORIGINAL: Final = re.compile(
    rf"^[\s>]*+[-_=*]{{2,}}+\s*+(?:{words.ORIGINAL})\b.{{0,40}}$|^(?:{words.ORIGINAL})\s*:?\s*$", re.IGNORECASE
)
_FORWARDED: Final = re.compile(rf"^[\s*]*+[-_=]*+\s*+(?:{words.FORWARDED})\b", re.IGNORECASE)
_OPENING: Final = re.compile(
    rf"^[\s\-_*>]{{0,8}}+(?:(?:{words.OPENERS})\b|\w{{2,10}}[.,]{{0,2}}\s+\d|\d{{1,4}}[-./年٫ ])", re.IGNORECASE
)
_WROTE: Final = re.compile(rf"(?:{words.WROTE})", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{1,4}\s?[-./年]\s?\d{1,2}|\d{1,2}[:.h]\d{2}|\b\d{1,2}\b.{1,20}\b\d{4}\b|\b\d{4}\b")
_TIME: Final = re.compile(r"\d{1,2}[:.h]\s?\d{2}")
_MAILBOX: Final = re.compile(r"[\w+'-]@[\w-]")
_SENT_FROM_WROTE: Final = re.compile(r"^\s*sent from [^<>]{1,100}<[^<>]{1,200}> wrote:\s*$", re.IGNORECASE)
_FIELD: Final = re.compile(
    r"^[\s>*_]{0,12}+(?:"
    + "|".join(f"(?P<{name}>{alternatives})" for name, alternatives in words.FIELDS.items())
    + r")[\s\u00a0]{0,3}\*{0,2}[:：]",
    re.IGNORECASE,
)


def is_quoted(line: str) -> bool:
    """The line begins with `>`."""
    return _QUOTE_MARK.match(line) is not None


def is_forward(line: str) -> bool:
    """From here on a mail is forwarded."""
    return _FORWARDED.match(line[:LINE_CHARS]) is not None


def may_announce(line: str) -> bool:
    """Cheap: could the line be the first of "On <date> <somebody> wrote:" or of a block of header fields?"""
    return any(sign.match(line[:LINE_CHARS]) for sign in (_OPENING, _FIELD))


def next_text(lines: list[str], at: int) -> int | None:
    """The next line that is not blank."""
    return next((i for i in range(at, len(lines)) if lines[i].strip()), None)


def announcement(lines: list[str], at: int) -> tuple[int, bool]:
    """How many lines from `at` announce a quotation, and whether it surely reaches to the end; (0, False) for none."""
    line = lines[at][:LINE_CHARS]
    if not line.strip():
        return 0, False
    if _ORIGINAL.match(line):
        start = next_text(lines, at + 1)
        return (start - at + _fields(lines, start) if start is not None else 1), True
    fields = _fields(lines, at)
    if fields:
        return fields, True
    return _wrote(lines, at), False


def _fields(lines: list[str], at: int) -> int:
    """Lines of a block of header fields: at least the sender or the date and another, with a subject or mailbox."""
    seen: set[str] = set()
    text: list[str] = []
    end = at
    last = min(len(lines), at + _FIELD_LINES)
    while end < last and lines[end].strip(" \t>*"):
        match = _FIELD.match(lines[end][:LINE_CHARS])
        if match and match.lastgroup:
            seen.add(match.lastgroup)
        elif end == at:
            return 0
        text.append(lines[end][:LINE_CHARS])
        end += 1
    is_block = len(seen) > 1 and seen & {"from", "date"} and ("subject" in seen or _MAILBOX.search(" ".join(text)))
    return end - at if is_block else 0


def _wrote(lines: list[str], at: int) -> int:
    """Lines of "On <date> <somebody> wrote:", which programs wrap over several."""
    first = lines[at][:LINE_CHARS]
    if _SENT_FROM_WROTE.match(first):
        return 1
    if not _OPENING.match(first):
        return 0
    joined = ""
    has_gap = False
    for end in range(at, min(len(lines), at + _HEADER_LINES)):
        line = lines[end][:LINE_CHARS].strip()
        if not line and (has_gap or not _TIME.search(first)):
            return 0
        has_gap = has_gap or not line
        joined = f"{joined} {line}".strip()
        if len(joined) > LINE_CHARS * 2 or _is_sentence(line):
            return 0
        body = _announced(joined)
        if body and _is_announcement(body, has_gap=has_gap, is_marked=_is_marked(lines, end + 1)):
            return end - at + 1
    return 0


def _is_sentence(line: str) -> bool:
    return line.endswith((".", "!", "?")) and not _DATE.search(line)


def _is_marked(lines: list[str], at: int) -> bool:
    following = next_text(lines, at)
    return following is not None and is_quoted(lines[following])


def _announced(joined: str) -> str:
    """The text before the colon, or the drawn line, that ends an announcement; "" when it does not end in one."""
    bare = joined.rstrip(" \t*>\u00a0")
    if bare.endswith((":", "：")):
        return bare[:-1].rstrip()
    return bare.rstrip("-_") if bare.endswith(("--", "__")) else ""


def _is_announcement(body: str, *, has_gap: bool, is_marked: bool) -> bool:
    """A date with a verb, or a mailbox at the end. Where no `>` follows, "On 5 May 2024 I sent you:" must not do."""
    has_mailbox = _MAILBOX.search(body) is not None
    has_time = _TIME.search(body) is not None
    if has_gap and not (has_time and has_mailbox):
        return False
    if not is_marked and not (has_time or has_mailbox):
        return False
    if _DATE.search(body) is None and not has_mailbox:
        return False
    return _WROTE.search(body) is not None or (has_time and _ends_in_mailbox(body))


def _ends_in_mailbox(body: str) -> bool:
    if not body.endswith((">", ")", "]")):
        return False
    opened = max(body.rfind("<"), body.rfind("("), body.rfind("["))
    return opened >= 0 and "@" in body[opened:]
