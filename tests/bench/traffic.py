"""Posts as long as real ones: Twilio's, signed before a run begins, and those of forms."""

import hmac
import json
import secrets
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from urllib.parse import urlencode

RECIPIENT = "+982191000000"
TOKEN = "a-token-of-32-characters-0123456"
_TEXTS = (
    "سلام، سفارش من هنوز نرسیده است. شماره پیگیری ۸۸۲۱۴",
    "Hello, where is my parcel? It was due on Tuesday and nobody called.",
    "Thanks! That worked.",
    "می‌خواهم ساعت تحویل را عوض کنم، بعد از ساعت ۵ باشد لطفاً",
)
_SID, _NUMBER = "PLACEOFTHESID", "98912PLACE"
_TURNS = (0, 1, 0, 2, 0, 1, 0, 1)
_CALLS_BETWEEN = 50
_REPORT = {
    "AccountSid": "AC3f1e9b0c7d2a45f6b8c1d0e9f7a6b5c4",
    "ApiVersion": "2010-04-01",
    "CallSid": _SID,
    "Called": RECIPIENT,
    "Caller": f"+{_NUMBER}",
    "CallerCity": "",
    "CallerCountry": "IR",
    "CallerState": "Tehran",
    "CallerZip": "",
    "CalledCity": "",
    "CalledCountry": "IR",
    "Direction": "inbound",
    "From": f"+{_NUMBER}",
    "FromCity": "",
    "FromCountry": "IR",
    "To": RECIPIENT,
    "ToCountry": "IR",
}
_CALL = {**_REPORT, "CallStatus": "ringing"}
_STAMPED = {"CallbackSource": "call-progress-events"}
_TAKEN = {
    **_STAMPED,
    "CallStatus": "in-progress",
    "SequenceNumber": "0",
    "Timestamp": "Fri, 20 Nov 2026 09:30:08 +0000",
}
_OVER = {
    **_STAMPED,
    "CallStatus": "completed",
    "SequenceNumber": "1",
    "CallDuration": "53",
    "Timestamp": "Fri, 20 Nov 2026 09:31:01 +0000",
}


def posts(url: str, path: str, count: int, customers: int, beside: tuple[str, ...] = ()) -> Iterator[bytes]:
    """So many whole requests to `url` + `path`, each new and from one of so many customers.

    The doors at the paths `beside` get their share: of eight posts four are SMS, three are about calls, one is a form.
    """
    makers = [_maker(url, one) for one in (path, *beside)]
    turns = _TURNS if beside else (0,)
    run, sent = secrets.token_hex(8), [0] * len(makers)
    for turn in islice(cycle(turns), count):
        yield makers[turn](run, sent[turn], customers)
        sent[turn] += 1


def _maker(url: str, path: str) -> Callable[[str, int, int], bytes]:
    if "voice" in path:
        return _calls(url, path)
    return _forms(url, path) if "form" in path else _messages(url, path)


def _messages(url: str, path: str) -> Callable[[str, int, int], bytes]:
    shapes = [_shape(url + path, _params(text)) for text in _TEXTS]
    head = _head(url, path)

    def post(run: str, number: int, customers: int) -> bytes:
        return _signed(head, shapes[number % len(shapes)], f"SM{run}{number:016x}", _number(number, customers))

    return post


def _calls(url: str, path: str) -> Callable[[str, int, int], bytes]:
    """A call comes in, is answered some other posts later, and is over: three posts, the last two to `/status`."""
    called = [(path, _CALL), *((f"{path}/status", {**_REPORT, **more}) for more in (_TAKEN, _OVER))]
    stages = [(_head(url, one), _shape(url + one, params)) for one, params in called]

    def post(run: str, number: int, customers: int) -> bytes:
        call, stage = divmod(number, len(stages))
        head, shape = stages[stage]
        since = (call - stage * _CALLS_BETWEEN) % (1 << 64)
        return _signed(head, shape, f"CA{run}{since:016x}", _number(since, customers))

    return post


def _forms(url: str, path: str) -> Callable[[str, int, int], bytes]:
    head = f"POST {path} HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\nContent-Type: application/json\r\n"

    def post(run: str, number: int, customers: int) -> bytes:
        contact = f"+{_number(number, customers)}"
        values = {"name": "سارا احمدی", "contact": contact, "message": f"{_TEXTS[number % len(_TEXTS)]} {run}{number}"}
        body = json.dumps(values).encode()
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return post


def message(url: str, path: str, sender: str, sid: str | None = None, text: str = _TEXTS[0]) -> bytes:
    """One request, a message from this number; `sid` is Twilio's id of it."""
    shape = _shape(url + path, _params(text))
    return _signed(_head(url, path), shape, sid or f"SM{secrets.token_hex(16)}", sender[1:])


def _number(place: int, customers: int) -> str:
    return f"98912{place * 7919 % customers:07}"


def _signed(head: str, shape: tuple[str, str], sid: str, sender: str) -> bytes:
    form, text = (part.replace(_SID, sid).replace(_NUMBER, sender).encode() for part in shape)
    signature = b2a_base64(hmac.digest(TOKEN.encode(), text, "sha1"), newline=False).decode()
    return (head % (signature, sid[2:], len(form))).encode() + form


def _shape(url: str, params: dict[str, str]) -> tuple[str, str]:
    """A body and what its signature covers, with places for the message's or call's id and its sender."""
    return urlencode(params), url + "".join(name + params[name] for name in sorted(params))


def _head(url: str, path: str) -> str:
    return (
        f"POST {path} HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\nUser-Agent: TwilioProxy/1.1\r\n"
        "Accept: */*\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        "X-Twilio-Signature: %s\r\nI-Twilio-Idempotency-Token: %s\r\nContent-Length: %d\r\n\r\n"
    )


def _params(text: str) -> dict[str, str]:
    return {
        "ToCountry": "IR",
        "ToState": "",
        "SmsMessageSid": _SID,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": _SID,
        "FromState": "Tehran",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": text,
        "FromCountry": "IR",
        "To": RECIPIENT,
        "ToZip": "",
        "NumSegments": "1",
        "MessageSid": _SID,
        "AccountSid": "AC3f1e9b0c7d2a45f6b8c1d0e9f7a6b5c4",
        "From": f"+{_NUMBER}",
        "ApiVersion": "2010-04-01",
    }
