"""Which mails belong together: Message-ID, In-Reply-To and References (RFC 5322 section 3.6.4)."""

import re
from typing import Final

_MOST_CHARS: Final = 65_536
_MOST_IDS: Final = 1000
_BRACKETED: Final = re.compile(r"<([^<>]*)>")
_ANSWER_MARK: Final = re.compile(
    r"\s*(?:re|aw|sv|vs|antw|odp|ynt|پاسخ|رد|回复|回覆)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
_FOLD: Final = re.compile(r"(?<![ \t])[ \t]*+[\r\n]++[ \t]*+")


def message_ids(value: str) -> tuple[str, ...]:
    """The ids in a field, in order, each once, without brackets.

    Where any id stands in brackets, words around them are talk ("Your message of Tuesday <…>"). Without brackets only
    what looks like an id counts.
    """
    text = value[:_MOST_CHARS]
    found = [_FOLD.sub("", inner).strip() for inner in _BRACKETED.findall(text)]
    if not found:
        words = text.replace(",", " ").replace("<", " ").replace(">", " ").split()
        found = words if len(words) == 1 else [word for word in words if "@" in word]
    return tuple(dict.fromkeys(filter(None, found)))[:_MOST_IDS]


def parents(in_reply_to: tuple[str, ...], references: tuple[str, ...]) -> tuple[str, ...]:
    """The ids to look the conversation up by, best first: the answered mail, then References from last to first."""
    return tuple(dict.fromkeys((*in_reply_to, *reversed(references))))


def key(message_id: str | None, in_reply_to: tuple[str, ...], references: tuple[str, ...]) -> str | None:
    """The id of the mail that began this thread, as far as the headers tell."""
    for ids in (references, in_reply_to):
        if ids:
            return ids[0]
    return message_id


def answering(message_id: str | None, in_reply_to: tuple[str, ...], references: tuple[str, ...]) -> tuple[str, ...]:
    """The References of an answer to this mail: its own, or its one In-Reply-To, then its Message-ID."""
    before = references or (in_reply_to if len(in_reply_to) == 1 else ())
    return tuple(dict.fromkeys((*before, *((message_id,) if message_id else ()))))


def answer_subject(subject: str) -> str:
    """`Re: ` in front, once (RFC 5322 section 3.6.5)."""
    return subject if _ANSWER_MARK.match(subject) else f"Re: {subject}"
