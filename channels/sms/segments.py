"""In how many short messages a text travels, and in which alphabet.

Sources: 3GPP TS 23.038, 6.2.1 (the default alphabet and its extension table; national shift tables are not used, as
the gateways that we speak to do not), TS 23.040, 9.2.3.24.1 (a joined message gives six of its 140 bytes to the
header that joins it).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""In order of their code; the escape to the extension table (27) is left out."""
EXTENSION: Final = "\f^{}\\[~]|€"
"""Two septets each: the escape, then their own."""

_ESCAPE: Final = "\x1b"
_ALL_GSM: Final = re.compile(f"[{re.escape(DEFAULT + EXTENSION)}]*")
_EXTENDED: Final = re.compile(f"([{re.escape(EXTENSION)}])")
_SEPTETS_ALONE: Final = 160
_SEPTETS_JOINED: Final = 153
_UNITS_ALONE: Final = 70
_UNITS_JOINED: Final = 67


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets in `gsm7`, UTF-16 code units in `ucs2`; `count` is what a gateway charges for."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    count: int


def segments(text: str) -> Segments:
    """How this text is sent: one character outside the default alphabet makes all of it UCS-2.

    Neither an escaped septet nor a surrogate pair is cut in two: a message that would end in half of one ends before
    it. An empty text is one message.
    """
    if _ALL_GSM.fullmatch(text):
        septets = _EXTENDED.sub(_ESCAPE + r"\1", text)
        return Segments("gsm7", len(septets), _gsm_count(septets, whole=len(septets) == len(text)))
    units = text.encode("utf-16-be", "surrogatepass")
    return Segments("ucs2", len(units) // 2, _ucs2_count(units))


def _gsm_count(septets: str, *, whole: bool) -> int:
    if len(septets) <= _SEPTETS_ALONE:
        return 1
    if whole:
        return -(-len(septets) // _SEPTETS_JOINED)
    count = start = 0
    while start < len(septets):
        end = start + _SEPTETS_JOINED
        start = end - 1 if septets[end - 1 : end] == _ESCAPE and end < len(septets) else end
        count += 1
    return count


def _ucs2_count(units: bytes) -> int:
    if len(units) <= 2 * _UNITS_ALONE:
        return 1
    count = start = 0
    while start < len(units):
        end = start + 2 * _UNITS_JOINED
        cuts_a_pair = end < len(units) and units[end - 2] & 0xFC == 0xD8  # noqa: PLR2004 - a high surrogate
        start = end - 2 if cuts_a_pair else end
        count += 1
    return count
