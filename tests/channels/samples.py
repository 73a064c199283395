"""Requests for each registered channel, as the world makes them, for what all channels have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from channels.contract import Channel, InboundRequest, Origin
from channels.registry import REGISTRY
from tests.channels.chat import recordings
from tests.channels.forms import posts
from tests.channels.sms import requests
from tests.channels.voice import requests as calls

MAIL_ORIGIN = Origin("acme", "smtp:help@acme.example")

_MAIL = """\
From: Sara <Sara@Example.com>
To: help@acme.example
Subject: =?utf-8?B?2LPZgdin2LHYtCDZhdmG?=
Date: Fri, 20 Nov 2026 13:00:00 +0330
Message-ID: <one@example.com>
References: <root@acme.example> <zero@acme.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Where is my order? سفارش من کجاست؟
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--b--
"""
_BOUNCE = """\
From: MAILER-DAEMON@mx.example.com
To: help@acme.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; sara@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user

Final-Recipient: rfc822; reza@example.com
Action: delayed
Status: 4.4.1

--b
Content-Type: message/rfc822

From: help@acme.example
To: sara@example.com
Message-ID: <ours@acme.example>
Subject: Your order

On its way.
--b--
"""


def mail(raw: bytes) -> InboundRequest:
    """A mail as the SMTP door hands it in."""
    envelope = (("mail-from", "sara@example.com"), ("rcpt-to", "help@acme.example"), ("received-from", "192.0.2.1"))
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    return InboundRequest("MAIL", "mailto:help@acme.example", envelope, raw, at, MAIL_ORIGIN)


def fetched(sent: InboundRequest) -> InboundRequest:
    """The same mail from a mailbox at an IMAP server."""
    place = (("mailbox", "INBOX"), ("uid-validity", "1795000000"), ("uid", "7"))
    headers = (("rcpt-to", "help@acme.example"), *place, ("internal-date", "2026-11-20T09:31:00+00:00"))
    return replace(sent, headers=headers, origin=replace(sent.origin, inbox="imap:imap.example.com/help"))


LETTER = mail(_MAIL.encode())
BOUNCE = mail(_BOUNCE.encode())


@dataclass(frozen=True, slots=True)
class Sample:
    """A channel's settings and what comes in. `unsigned` is empty where nothing is ever signed."""

    settings: Mapping[str, str]
    genuine: tuple[InboundRequest, ...]
    unsigned: tuple[InboundRequest, ...]


_MEDIA = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m/0", "OptOutType": "STOP"}
_STOPPED = requests.STATUS | {"MessageStatus": "failed", "ErrorCode": "21610"}
_FILLED = {"phone": "09121234567", "message": "hi", "reply_by": "sms", "news": "true"}

SAMPLES: dict[str, Sample] = {
    "sms/twilio": Sample(
        {"auth_token": requests.TOKEN},
        (
            requests.form(requests.MESSAGE),
            requests.form(requests.MESSAGE | _MEDIA),
            requests.form(requests.STATUS),
            requests.form(_STOPPED, purpose="status"),
        ),
        (
            replace(requests.form(requests.MESSAGE), headers=()),
            requests.form(requests.MESSAGE, token="another"),
        ),
    ),
    "voice/twilio": Sample(
        calls.SETTINGS,
        tuple(dict.fromkeys((*calls.taken_call(), *calls.missed_call()))),
        (
            replace(calls.form(calls.ANSWER), headers=()),
            calls.form(calls.ANSWER, token="another"),
        ),
    ),
    "email/smtp": Sample({"address": "help@acme.example"}, (LETTER, BOUNCE), ()),
    "email/imap": Sample(
        {"address": "help@acme.example", "host": "imap.example.com", "user": "help", "password": "secret"},
        (fetched(LETTER), fetched(BOUNCE)),
        (),
    ),
    "chat/widget": Sample(
        {"proof_key": recordings.KEY},
        (
            recordings.recording(recordings.hello(), recordings.welcome(), recordings.message()),
            recordings.recording(
                recordings.proven("u-42"),
                recordings.message("one"),
                recordings.message("two", recordings.OTHER_ID),
            ),
            recordings.recording(
                recordings.hello(),
                recordings.welcome(),
                recordings.line(2),
                recordings.line(3, recordings.OTHER_ID),
                recordings.seen(3, read=True),
            ),
        ),
        (
            recordings.recording(recordings.hello("u-42"), recordings.message()),
            recordings.recording(recordings.proven("u-42", "another key than this"), recordings.message()),
        ),
    ),
    "forms/web": Sample(
        {"token_secret": posts.SECRET, "fields": posts.FORM_FIELDS},
        (
            posts.page_post(_FILLED),
            posts.json_post({**_FILLED, "news": False}),
            posts.multipart_post(_FILLED, [("a.txt", "text/plain", b"x")]),
        ),
        (replace(posts.page_post(_FILLED), body=b"message=hi"),),
    ),
}


def channel(name: str) -> Channel:
    return REGISTRY[name](SAMPLES[name].settings)
