"""TwiML: what Twilio is to do with a caller, in the bytes that its own library makes.

Source: https://www.twilio.com/docs/voice/twiml
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from channels.voice.answer import Choice, Dial, Observe, Redirect, Say

NOTHING: Final = "<Response/>"

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_EVENTS: Final = "initiated ringing answered completed"
_IN_QUOTES: Final = {'"': "&quot;"}
# Characters that XML 1.0 cannot hold, however they are written.
_NO_XML: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is done. `timeout_seconds`: how long it rings; `caller_id`: which of our numbers is shown."""

    timeout_seconds: int
    caller_id: str | None
    language: str | None
    voice: str | None


def instructions(choice: Choice, manner: Manner, status_url: str) -> str | None:
    """A whole document; None when there is nothing that we could tell. Legs are reported to `status_url`."""
    match choice:
        case Dial():
            return _document(_dial(choice, manner, status_url))
        case Redirect():
            return _document(_element("Redirect", {}, escape(choice.url)))
        case Say():
            spoken = escape(choice.text.translate(_NO_XML))
            return _document(_element("Say", {"language": manner.language, "voice": manner.voice}, spoken))
        case Observe():
            return None


def _dial(choice: Dial, manner: Manner, status_url: str) -> str:
    noun = "Sip" if choice.target.startswith("sip") else "Number"
    watched = {"statusCallback": status_url, "statusCallbackEvent": _EVENTS}
    given = {
        "action": status_url,
        # The caller hears it ring, and the call counts as answered only once somebody did.
        "answerOnBridge": "true",
        "callerId": manner.caller_id,
        "timeout": str(manner.timeout_seconds),
    }
    return _element("Dial", given, _element(noun, watched, escape(choice.target)))


def _element(name: str, attributes: Mapping[str, str | None], content: str) -> str:
    written = "".join(f" {key}={_quoted(value)}" for key, value in sorted(attributes.items()) if value is not None)
    return f"<{name}{written}>{content}</{name}>"


def _quoted(value: str) -> str:
    return f'"{escape(value.translate(_NO_XML), _IN_QUOTES)}"'


def _document(content: str) -> str:
    return f"{_HEAD}<Response>{content}</Response>"
