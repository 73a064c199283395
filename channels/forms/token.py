"""The token in a form's page: it shows that we gave out the page, when, and makes a second click the same post."""

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from channels.contract import Origin
from channels.errors import BadSignature
from channels.signing import form_mac

_SHAPE: Final = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{43})")
# Clocks of two of our machines may differ by this much.
_SKEW: Final = timedelta(minutes=1)


def issue(secret: str, origin: Origin, issued_at: datetime, nonce: str) -> str:
    """A token for one page. `nonce` is random (8 to 64 characters of URL-safe base64) and names the post for ever."""
    issued = f"{int(issued_at.timestamp())}.{nonce}"
    return f"{issued}.{_mac(secret, origin, issued).decode()}"


def check(secret: str, origin: Origin, token: str, received_at: datetime, lifetime_seconds: int) -> None:
    """Pass or raise `BadSignature`: not ours, of another form or tenant, too old, or from the future."""
    found = _SHAPE.fullmatch(token)
    if found is None:
        raise BadSignature("The form's token is missing or cut.")
    if not hmac.compare_digest(_mac(secret, origin, f"{found[1]}.{found[2]}"), found[3].encode()):
        raise BadSignature("The form's token was not given out for this form.")
    age = received_at - datetime.fromtimestamp(int(found[1]), UTC)
    if age > timedelta(seconds=lifetime_seconds):
        raise BadSignature("The form's token is too old: load the page again.")
    if age < -_SKEW:
        raise BadSignature("The form's token is from the future: a clock of ours is wrong.")


def nonce(token: str) -> str | None:
    """What names the post; None when this is no token."""
    found = _SHAPE.fullmatch(token)
    return found[2] if found else None


def age_seconds(token: str, at: datetime) -> float | None:
    """How long ago the page was given out; None when this is no token."""
    found = _SHAPE.fullmatch(token)
    return at.timestamp() - int(found[1]) if found else None


def _mac(secret: str, origin: Origin, issued: str) -> bytes:
    return form_mac(secret, f"{origin.tenant}\0{origin.inbox}\0{issued}".encode())
