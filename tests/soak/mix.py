"""What a busy day brings, in twenties: twelve text messages, three forms, two chat messages, two calls and a mail.

Most text messages come from many numbers, one of twelve from a few people who write all the time; a visitor of the
chat writes 25 messages. A call is two requests: what to do with the caller, and how it ended.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from channels.signing import sign_twilio
from services.demo import mails
from tests.bench.traffic import RECIPIENT, TOKEN, posts

TWENTY = 20
SHARES = {"sms": 12, "form": 3, "chat": 2, "call": 2, "mail": 1}
"""Interactions of a twenty by kind."""
HTTP = SHARES["sms"] + SHARES["form"] + 2 * SHARES["call"]
"""Requests of a twenty by HTTP."""
MAILBOX = "help@shop.example"
_BUSY = 50
_SENDER, _MESSAGE_ID = "place-of-the-sender@example.com", "<place-of-the-id@example.com>"


@dataclass(frozen=True)
class Doors:
    """Where all of it goes, and how much: so many twenties, from so many addresses of each kind."""

    http: str
    smtp: str
    sms: str
    form: str
    call: str
    chat: str
    twenties: int
    customers: int


def requests(doors: Doors) -> Iterator[tuple[str, bytes]]:
    """Each request by HTTP with the kind that its answer counts for; "" where another request of a call counts."""
    many = posts(doors.http, doors.sms, doors.twenties * (SHARES["sms"] - 1), doors.customers)
    busy = posts(doors.http, doors.sms, doors.twenties, _BUSY)
    run = secrets.token_hex(6)
    for number in range(doors.twenties):
        for _ in range(SHARES["sms"] - 1):
            yield "sms", next(many)
        yield "sms", next(busy)
        for place in range(SHARES["form"]):
            yield "form", _form(doors, run, number * SHARES["form"] + place)
        for place in range(SHARES["call"]):
            asked, ended = _call(doors, run, number * SHARES["call"] + place)
            yield "call", asked
            yield "", ended


def letters(doors: Doors) -> Iterator[tuple[str, bytes]]:
    """Sender and mail: every fourth has two files with it."""
    shapes = [mails.persian(_SENDER, MAILBOX, _MESSAGE_ID)] * 3
    shapes.append(mails.with_attachments(_SENDER, MAILBOX).replace(b"<mina-1@example.com>", _MESSAGE_ID.encode()))
    run = secrets.token_hex(6)
    for number in range(doors.twenties * SHARES["mail"]):
        sender = f"customer{number * 7919 % doors.customers}@example.com"
        mail = shapes[number % len(shapes)].replace(_SENDER.encode(), sender.encode())
        yield sender, mail.replace(_MESSAGE_ID.encode(), f"<{run}.{number}@example.com>".encode())


def _form(doors: Doors, run: str, number: int) -> bytes:
    contact = f"0935{number * 7919 % doors.customers:07}"
    text = f"سفارش {number} هنوز نرسیده است، لطفاً پیگیری کنید."
    body = orjson.dumps({"name": "زهرا کریمی", "contact": contact, "message": text})
    return _post(doors, doors.form, body, f"Content-Type: application/json\r\nIdempotency-Key: {run}-{number}")


def _call(doors: Doors, run: str, number: int) -> tuple[bytes, bytes]:
    """One of eight is missed."""
    known = {
        "AccountSid": "AC3f1e9b0c7d2a45f6b8c1d0e9f7a6b5c4",
        "ApiVersion": "2010-04-01",
        "CallSid": f"CA{run}{number:020x}",
        "Direction": "inbound",
        "From": f"+98936{number * 7919 % doors.customers:07}",
        "FromCountry": "IR",
        "To": RECIPIENT,
    }
    over = {"CallStatus": "no-answer"} if number % 8 == 0 else {"CallStatus": "completed", "CallDuration": "42"}
    over |= {"SequenceNumber": "3", "CallbackSource": "call-progress-events"}
    asked = _signed(doors, doors.call, {**known, "CallStatus": "ringing"})
    return asked, _signed(doors, f"{doors.call}/status", {**known, **over})


def _signed(doors: Doors, path: str, params: dict[str, str]) -> bytes:
    signature = sign_twilio(TOKEN, doors.http + path, params.items())
    kind = "Content-Type: application/x-www-form-urlencoded"
    return _post(doors, path, urlencode(params).encode(), f"{kind}\r\nX-Twilio-Signature: {signature}")


def _post(doors: Doors, path: str, body: bytes, headers: str) -> bytes:
    host = doors.http.removeprefix("http://")
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
