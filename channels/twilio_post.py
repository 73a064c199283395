"""Something handed to Twilio by its REST API, and how that ended.

Source: https://www.twilio.com/docs/usage/twilios-response
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, cast
from urllib.parse import urlencode

import orjson

from channels.sending import HandedOff, Http, HttpAnswer, InDoubt, Rejected, Retryable, Unanswered, Unsent
from channels.twilio_account import TwilioAccount
from channels.twilio_errors import ERRORS, NOTHING_WAS_MADE, THROTTLED

Fields = Sequence[tuple[str, str]]

_SID: Final = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_LONGEST_WAIT_SECONDS: Final = 3600.0
_TOO_MANY: Final = 429
_NO_CODE: Final = 1_000_000
_DIGITS: Final = 10
_UNSURE: Final = frozenset({408, 409, 425})
"""Given by what stands between us and Twilio: the request may have gone through it before."""


@dataclass(frozen=True, slots=True)
class _Said:
    sid: str | None
    code: int | None


async def post(account: TwilioAccount, resource: str, fields: Fields, sent_at: datetime, http: Http) -> HandedOff:
    """Make a `Messages` or a `Calls`. Raises `Retryable`, `Rejected`, `InDoubt`."""
    sid = account.account_sid
    if sid is None:
        raise Rejected("not_set_up", "This inbox cannot send yet: set its account_sid, as Twilio's console shows it.")
    url = f"{account_url(account, sid)}/{resource}.json"
    try:
        answer = await http.post(url, body=urlencode(fields).encode(), headers=headers(account, sid))
    except Unsent as unsent:
        raise Retryable("unreachable", "Twilio cannot be reached at the moment.") from unsent
    except Unanswered as unanswered:
        raise InDoubt("Twilio did not answer: it may have taken the message.") from unanswered
    return _outcome(answer, sent_at)


def account_url(account: TwilioAccount, account_sid: str) -> str:
    """What its resources are below."""
    return f"{account.api_base}/2010-04-01/Accounts/{account_sid}"


def headers(account: TwilioAccount, account_sid: str) -> tuple[tuple[str, str], ...]:
    """Of every request to the API."""
    login = b64encode(":".join(account.login(account_sid)).encode()).decode()
    return (
        ("authorization", f"Basic {login}"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
    )


def _outcome(answer: HttpAnswer, sent_at: datetime) -> HandedOff:
    said = _said(answer.body)
    match answer.status // 100:
        case 2 if said.sid is not None:
            return HandedOff(said.sid)
        case 4 if answer.status not in _UNSURE:
            _refuse(answer, said.code, sent_at)
        case 3:
            raise Rejected("misdirected", "Twilio's API is not where api_base says: the answer leads elsewhere.")
        case 5 if said.code in NOTHING_WAS_MADE:
            raise Retryable("unavailable", "Twilio cannot take messages at the moment.", _wait(answer, sent_at))
        case _:
            pass
    raise InDoubt(f"Twilio's answer ({answer.status}) does not tell whether it took the message.")


def _refuse(answer: HttpAnswer, code: int | None, sent_at: datetime) -> None:
    if answer.status == _TOO_MANY or code in THROTTLED:
        raise Retryable("throttled", "Twilio takes no more at the moment.", _wait(answer, sent_at))
    if code is not None and code in ERRORS:
        raise Rejected(*ERRORS[code])
    if answer.status in (401, 403):
        raise Rejected("not_allowed", "Twilio does not let this inbox in: its account_sid, key or token is not right.")
    told = f"error {code}" if code is not None else f"status {answer.status}"
    raise Rejected(f"twilio_{code or answer.status}", f"Twilio refused the message ({told}).")


def _said(body: bytes) -> _Said:
    """What can be used of the answer; nothing of one that cannot be read."""
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _Said(None, None)
    if not isinstance(found, dict):
        return _Said(None, None)
    document = cast("Mapping[str, object]", found)
    sid, code = document.get("sid"), document.get("code", document.get("error_code"))
    return _Said(
        sid if isinstance(sid, str) and _SID.fullmatch(sid) else None,
        code if isinstance(code, int) and not isinstance(code, bool) and 0 < code < _NO_CODE else None,
    )


def _wait(answer: HttpAnswer, sent_at: datetime) -> float | None:
    """Retry-After (RFC 9110 section 10.2.3) in seconds, at most an hour."""
    written = next((value for name, value in answer.headers if name == "retry-after"), "").strip()
    if written.isascii() and written.isdecimal() and len(written) < _DIGITS:
        return min(float(written), _LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(written)
        seconds = (until - sent_at).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
