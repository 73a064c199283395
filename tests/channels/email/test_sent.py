"""Whatever comes back for a mail of ours names what was handed off: bounces with the mail in them, and bare ones."""

import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest

from channels.contract import InboundRequest
from channels.email import mime, sent
from channels.email.letter import Letter, write
from channels.email.send import MailSender
from channels.email.smtp import Smtp, SmtpConfig
from channels.sending import HandedOff, InDoubt, MailAnswer, Outgoing, Rejected, Retryable
from schemas.interaction import ReceiptReported
from tests.channels.outgoing import AT, MESSAGE_ID, Given, outgoing
from tests.channels.samples import MAIL_ORIGIN

KEY = "abcdefghijklmnopqrstuvwxyz234567abcdefghij"
CONFIG = SmtpConfig(address="help@acme.example", smtp_host="mx.acme.example", plus_addressing="on")
TAKEN = MailAnswer(250, "2.0.0 Ok", "end")

_REPORT = """\
From: MAILER-DAEMON@mx.example.com
To: {to}
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

{original}--b--
"""
_HEADERS = "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{}>\nSubject: x\n\n"


def _message() -> Outgoing:
    return outgoing(address="mailto:sara@example.com", origin=MAIL_ORIGIN, reply_key=KEY)


def _letter() -> Letter:
    return write(CONFIG, _message())


def _reported(to: str, original: str, recipient: str) -> list[ReceiptReported]:
    headers = (("mail-from", ""), ("rcpt-to", recipient))
    body = _REPORT.format(to=to, original=original).encode()
    request = InboundRequest("MAIL", f"mailto:{recipient}", headers, body, AT, MAIL_ORIGIN)
    return [one.fact for one in Smtp(CONFIG).parse(request) if isinstance(one.fact, ReceiptReported)]


async def _handed() -> HandedOff:
    return await MailSender(CONFIG).send(_message(), Given(TAKEN).wires)


@pytest.mark.parametrize("way", ["the headers", "the envelope", "the To field", "in capitals"])
async def test_a_report_names_what_was_handed_off(way: str) -> None:
    message_id, bounces = mime.read(_letter().content).message_id or "", _letter().sender
    reports = {
        "the headers": _reported("help@acme.example", _HEADERS.format(message_id), "help@acme.example"),
        "the envelope": _reported("help@acme.example", "", bounces),
        "the To field": _reported(bounces, "", "help@acme.example"),
        "in capitals": _reported("help@acme.example", "", bounces.upper()),
    }
    (receipt,) = reports[way]
    assert receipt.state == "failed"
    assert receipt.interaction_id == MAIL_ORIGIN.derive((await _handed()).provider_id, "interaction")


def test_of_another_mail_it_names_that_one() -> None:
    (receipt,) = _reported("help@acme.example", _HEADERS.format("other@acme.example"), "help@acme.example")
    assert receipt.interaction_id == MAIL_ORIGIN.derive("other@acme.example", "interaction")
    assert _reported("help@acme.example", "", "help@acme.example") == []


def test_names_differ_by_message_only() -> None:
    name = sent.name_of(MESSAGE_ID)
    assert len(name) == 26
    assert sent.message_id_of(name, None, "x.example") == f"{name}.k@x.example"
    assert sent.named_by(f"{name}.k@x.example", ()) == name
    again = write(CONFIG, replace(_message(), attempt=2, text="other words"))
    assert mime.read(again.content).message_id == mime.read(_letter().content).message_id


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (MailAnswer(550, "5.1.1 <sara@example.com>: No such user", "rcpt"), "no_such_mailbox"),
        (MailAnswer(550, "No such user here", "rcpt"), "no_such_mailbox"),
        (MailAnswer(552, "5.2.2 Over quota", "rcpt"), "full"),
        (MailAnswer(552, "5.3.4 Message too big", "mail"), "too_large"),
        (MailAnswer(552, "Message too big", "end"), "too_large"),
        (MailAnswer(554, "5.7.1 Spam", "end"), "blocked"),
        (MailAnswer(550, "5.7.26 DMARC", "end"), "blocked"),
        (MailAnswer(553, "5.6.7 No SMTPUTF8", "mail"), "international"),
        (MailAnswer(554, "5.9.9 sara@example.com", "end"), "refused"),
        (MailAnswer(535, "5.7.8 Bad password", "connect"), "not_allowed"),
    ],
)
async def test_a_refusal_for_good_is_told_in_words(answer: MailAnswer, code: str) -> None:
    with pytest.raises(Rejected) as told:
        await MailSender(CONFIG).send(_message(), Given(answer).wires)
    assert told.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        MailAnswer(451, "4.7.1 Greylisted", "rcpt"),
        MailAnswer(452, "4.2.2 Full", "end"),
        MailAnswer(554, "5.3.2 Not today", "connect"),
        MailAnswer(421, "4.3.2 Closing", "mail"),
        MailAnswer(454, "4.7.0 Later", "connect"),
    ],
)
async def test_what_may_work_later_is_tried_again(answer: MailAnswer) -> None:
    with pytest.raises(Retryable):
        await MailSender(CONFIG).send(_message(), Given(answer).wires)


async def test_an_answer_to_the_mail_that_is_none_is_in_doubt() -> None:
    with pytest.raises(InDoubt):
        await MailSender(CONFIG).send(_message(), Given(MailAnswer(354, "?", "end")).wires)


def test_an_id_that_a_program_wrote_as_encoded_words_is_read() -> None:
    answer = EmailMessage(email.policy.SMTP)
    named = sent.message_id_of(sent.name_of(MESSAGE_ID), KEY, "customer-service.acme.example")
    answer["In-Reply-To"] = answer["References"] = f"<{named}>"
    answer.set_content("Thank you")
    written = answer.as_bytes()
    assert named.encode() not in written
    read = mime.read(written)
    assert read.in_reply_to == read.references == (named,)
