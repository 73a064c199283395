"""Twilio's posts, as long as real ones and signed before a run begins."""

import hmac
import secrets
from binascii import b2a_base64
from collections.abc import Iterator
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


def posts(url: str, path: str, count: int, customers: int) -> Iterator[bytes]:
    """So many whole requests to `url` + `path`, each a new message of one of so many customers."""
    shapes = [_shape(url + path, text) for text in _TEXTS]
    head = _head(url, path)
    run, token = secrets.token_hex(8), TOKEN.encode()
    for number in range(count):
        body, signed = shapes[number % len(shapes)]
        sid, sender = f"SM{run}{number:016x}", f"98912{number * 7919 % customers:07}"
        form = body.replace(_SID, sid).replace(_NUMBER, sender).encode()
        text = signed.replace(_SID, sid).replace(_NUMBER, sender).encode()
        signature = b2a_base64(hmac.digest(token, text, "sha1"), newline=False).decode()
        yield (head % (signature, sid[2:], len(form))).encode() + form


def message(url: str, path: str, sender: str) -> bytes:
    """One request, a message from this number."""
    sid = f"SM{secrets.token_hex(16)}"
    form, signed = ((part.replace(_SID, sid).replace(_NUMBER, sender[1:])) for part in _shape(url + path, _TEXTS[0]))
    signature = b2a_base64(hmac.digest(TOKEN.encode(), signed.encode(), "sha1"), newline=False).decode()
    return (_head(url, path) % (signature, sid[2:], len(form))).encode() + form.encode()


def _shape(url: str, text: str) -> tuple[str, str]:
    """A body and what its signature covers, with places for the message's id and its sender."""
    params = _params(text)
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
