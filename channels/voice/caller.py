"""Who calls, as one address: `tel:+98…`, `sip:sara@example.com`, `client:sara`, `voice:1000`, `anonymous:…`.

Sources: RFC 3261 section 19 (SIP URIs), RFC 3323 (anonymous), and for the numbers that spell a word:
https://help.twilio.com/articles/223179988
"""

import re
from typing import Final

from channels.phone import e164

_WORDS: Final = ("ANONYMOUS", "RESTRICTED", "BLOCKED", "UNKNOWN", "UNAVAILABLE", "PRIVATE", "WITHHELD")
# Where a number has to stand, networks spell the word on the keypad: +266696687 is ANONYMOUS.
_KEYPAD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_WITHHELD: Final = frozenset({*_WORDS, *(word.translate(_KEYPAD) for word in _WORDS), ""})
_SIP: Final = re.compile(r"sips?:(?:([^@\s]*)@)?([^@\s;?]+)([;?]\S*)?", re.IGNORECASE)
_PORT: Final = re.compile(r":[0-9]+$")
_LONGEST: Final = 250


def caller_address(written: str, region: str) -> str | None:
    """The address of this caller; None when they withheld it. `region` reads a number without its country code."""
    bare = written.strip()
    if _is_withheld(bare) or len(bare) > _LONGEST:
        return None
    found = _SIP.fullmatch(bare)
    if found is not None:
        return _sip_address(found[1] or "", found[2], found[3] or "")
    kind, separator, rest = bare.partition(":")
    if separator and kind == "client":
        return None if _is_withheld(rest) else bare
    number = e164(bare, region)
    return f"voice:{''.join(bare.split())}" if number is None else f"tel:{number}"


def _sip_address(user: str, host: str, parameters: str) -> str | None:
    name, where = user.partition(":")[0], _PORT.sub("", host.lower())
    if _is_withheld(name) or where.endswith(".invalid"):
        return None
    number = e164(name, None) if "user=phone" in parameters.lower() else None
    return f"sip:{name}@{where}" if number is None else f"tel:{number}"


def _is_withheld(name: str) -> bool:
    return name.strip("+ ").upper() in _WITHHELD
