"""What the customer wrote, without what their mail program quoted below it and without the signature.

One pass over the lines, each looked at for a bounded number of characters: hostile texts cost no more than long ones.
There is no standard: the signs are those of RFC 3676 (`>` and `-- `) and of the programs in use (see `reply_words`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from channels.email import reply_words as words
from channels.email.quotation import LINE_CHARS, announcement, is_forward, is_quoted, may_announce, next_text

_MOST_LINES: Final = 5000
"""Longer texts are logs and data: the rest is one piece, written unless a quotation that reaches to the end began."""

_MOST_CANDIDATES: Final = 200
"""Lines that could announce a quotation; a text with more of them is a list of dates."""

_CLOSING_LINES: Final = 12
_SIGNATURE_LINES: Final = 30
_RULE: Final = re.compile(r"^[\s>]*(?:[-_=*─—]{5,}|(?:[-_] ){4,}[-_]?)\s*$")
_LINK_START: Final = re.compile(r"^\s*[<(]?(?:https?://|mailto:)|^\S{0,200}\)\s*>?\s*$", re.IGNORECASE)
_OPEN_LINK: Final = re.compile(r"[<(]https?://[^)>\s]*$", re.IGNORECASE)
_DELIMITER: Final = re.compile(r"^\s*(?:--|__|_{2,}|-- ?\u00a0?)\s*$")
_DEVICE: Final = re.compile(rf"^\W{{0,3}}(?:{words.DEVICE})(?P<rest>.*)$", re.IGNORECASE)
_CLOSING: Final = re.compile(rf"^\s*(?:{words.CLOSINGS})\s*[,.!،،。]?\s*$", re.IGNORECASE)
_DASHED_NAME: Final = re.compile(r"^\s{0,4}[-–/][^\W\d_a-z][\w .'’-]{0,40}$")
_MOST_DEVICE_CHARS: Final = 80


class Kind(Enum):
    """What a line of a mail is."""

    WRITTEN = "written"
    QUOTED = "quoted"
    HEADER = "header"
    """Announces the quotation ("On Monday … wrote:")."""

    RULE = "rule"
    """A drawn line directly above a header."""

    DELIMITED = "delimited"
    """Signature behind `-- ` or a drawn line."""

    DEVICE = "device"
    """"Sent from my telephone" and the like."""

    CLOSING = "closing"
    """From "Kind regards," on."""

    NAME = "name"
    """`-Jane` as the last line."""


SIGNATURES: Final = frozenset({Kind.DELIMITED, Kind.DEVICE, Kind.CLOSING, Kind.NAME})


@dataclass(frozen=True, slots=True)
class Reply:
    """A text with the kind of every line."""

    lines: tuple[tuple[Kind, str], ...]

    def only(self, kinds: frozenset[Kind]) -> str:
        """The lines of these kinds, blank lines at the ends of each run left out."""
        runs: list[str] = []
        run: list[str] = []
        for kind, line in self.lines:
            if kind in kinds:
                run.append(line)
            elif run:
                runs.append(_trimmed(run))
                run = []
        runs.append(_trimmed(run))
        return "\n".join(text for text in runs if text)

    @property
    def written(self) -> str:
        """The customer's own words: no quotation, no signature."""
        return self.only(frozenset({Kind.WRITTEN}))

    @property
    def unquoted(self) -> str:
        """The customer's own words with the signature."""
        return self.only(frozenset({Kind.WRITTEN}) | SIGNATURES)

    @property
    def above(self) -> str:
        """Everything above the first quotation, as it stands."""
        upper = [line for _, line in self._upper()]
        return _trimmed(upper)

    def _upper(self) -> Iterator[tuple[Kind, str]]:
        for kind, line in self.lines:
            if kind in {Kind.HEADER, Kind.QUOTED}:
                return
            yield kind, line


def written(text: str) -> str:
    """The customer's own words in a mail's plain text: no quotation, no signature, LF line ends. Linear."""
    return parse(text).written


def parse(text: str) -> Reply:
    """Tell every line's kind. A forwarded mail is what the customer wants to show, so it counts as written."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", _MOST_LINES)
    kinds = [Kind.WRITTEN] * len(lines)
    _mark_quotations(lines[:_MOST_LINES], kinds)
    _mark_signatures(lines[:_MOST_LINES], kinds)
    return Reply(tuple(zip(kinds, lines, strict=True)))


def _trimmed(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n").rstrip() if lines else ""


def _mark_quotations(lines: list[str], kinds: list[Kind]) -> None:
    at = 0
    candidates = 0
    while at < len(lines) and candidates < _MOST_CANDIDATES:
        if is_quoted(lines[at]):
            at = _mark_marked(lines, kinds, at)
            continue
        candidates += may_announce(lines[at])
        if is_forward(lines[at]):
            return
        span, is_open_ended = announcement(lines, at)
        if not span:
            at += 1
            continue
        _mark_rule_above(lines, kinds, at)
        kinds[at : at + span] = [Kind.HEADER] * span
        at += span
        following = next_text(lines, at)
        if is_open_ended or following is None or not is_quoted(lines[following]):
            kinds[at:] = [Kind.QUOTED] * (len(kinds) - at)
            return


def _mark_marked(lines: list[str], kinds: list[Kind], at: int) -> int:
    """A run of `>` lines, with the ends of links that were wrapped out of it."""
    while at < len(lines):
        is_inside = at + 1 < len(lines) and is_quoted(lines[at + 1])
        if not (is_quoted(lines[at]) or (is_inside and _is_wrapped_link(lines[at - 1], lines[at]))):
            return at
        kinds[at] = Kind.QUOTED
        at += 1
    return at


def _is_wrapped_link(before: str, line: str) -> bool:
    return bool(line.strip()) and bool(_OPEN_LINK.search(before[-LINE_CHARS:]) or _LINK_START.match(line[:LINE_CHARS]))


def _mark_rule_above(lines: list[str], kinds: list[Kind], at: int) -> None:
    above = at - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    if above >= 0 and _RULE.match(lines[above][:LINE_CHARS]):
        kinds[above:at] = [Kind.RULE] * (at - above)


def _mark_signatures(lines: list[str], kinds: list[Kind]) -> None:
    """In every run of written lines, the first sign of a signature takes the rest of the run."""
    at = 0
    while at < len(lines):
        if kinds[at] is not Kind.WRITTEN:
            at += 1
            continue
        end = at
        while end < len(lines) and kinds[end] is Kind.WRITTEN:
            end += 1
        start, kind = _signature(lines, at, end)
        kinds[start:end] = [kind] * (end - start)
        if kind is Kind.DELIMITED:
            _mark_name_above(lines, kinds, at, start)
        at = end


def _mark_name_above(lines: list[str], kinds: list[Kind], start: int, end: int) -> None:
    """`-Jane` can stand above the footer of a mailing list."""
    texts = [at for at in range(start, end) if lines[at].strip()]
    if len(texts) > 1 and _DASHED_NAME.match(lines[texts[-1]][:LINE_CHARS]):
        kinds[texts[-1] : end] = [Kind.NAME] * (end - texts[-1])


def _signature(lines: list[str], start: int, end: int) -> tuple[int, Kind]:
    texts = [at for at in range(start, end) if lines[at].strip()]
    found = end, Kind.WRITTEN
    for left, at in zip(range(min(len(texts), _SIGNATURE_LINES), 0, -1), texts[-_SIGNATURE_LINES:], strict=False):
        line = lines[at][:LINE_CHARS]
        if _DELIMITER.match(line):
            return at, Kind.DELIMITED
        if _CLOSING.match(line) and left <= _CLOSING_LINES and at > start:
            return at, Kind.CLOSING
        if left <= 2 and len(line) <= _MOST_DEVICE_CHARS and _DEVICE.match(line):  # noqa: PLR2004
            return at, Kind.DEVICE
        if left == 1 and at > start and _DASHED_NAME.match(line):
            return at, Kind.NAME
    return found
