"""What happens to a caller, as an inbox states it: `dial:+98…`, `redirect:https://…`, `say:…` or `observe`."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_SIP: Final = re.compile(r"sips?:[^@\s]+@[^@\s]+")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_TEXT: Final = 4096

CHOICES: Final = (
    "dial:+982112345678 or dial:sip:desk@pbx.example connects them, redirect:https://… hands them to another system, "
    "say:… reads a text and hangs up, observe leaves them to whoever answers already"
)


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the caller to a number (`+98…`) or a SIP address (`sip:…`)."""

    target: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Let the instructions of another system say what happens."""

    url: str


@dataclass(frozen=True, slots=True)
class Say:
    """Read a text out and hang up."""

    text: str


@dataclass(frozen=True, slots=True)
class Observe:
    """Another system answers; we only hear of it."""


Choice = Dial | Redirect | Say | Observe


def read_choice(written: str) -> Choice:
    """The choice behind an inbox's setting `answer`.

    Raises:
        ValueError: it is none. The sentence says what there is.
    """
    word, _, rest = written.strip().partition(":")
    rest = rest.strip()
    match word:
        case "dial":
            return Dial(_target(rest))
        case "redirect":
            return Redirect(_url(rest))
        case "say":
            return Say(_text(rest))
        case "observe" if not rest:
            return Observe()
        case _:
            raise ValueError(f"it says nothing that can be done with a caller: {CHOICES}")


def _target(written: str) -> str:
    if written.startswith(("sip:", "sips:")):
        if not _SIP.fullmatch(written):
            raise ValueError("dial needs a whole SIP address, such as sip:desk@pbx.example")
        return written
    number = re.sub(r"[\s().-]", "", written.removeprefix("tel:"))
    if not _NUMBER.fullmatch(number):
        raise ValueError("dial needs a number with its country code, such as +982112345678, or a SIP address")
    return number


def _url(written: str) -> str:
    parts = urlsplit(written)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("redirect needs a whole URL that begins with https://")
    return written


def _text(written: str) -> str:
    if not written or len(written) > _LONGEST_TEXT:
        raise ValueError(f"say needs a text of 1 to {_LONGEST_TEXT} characters")
    return written
