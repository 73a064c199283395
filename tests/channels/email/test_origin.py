import pytest

from channels.email import automatic, bounce, mime, thread

DSN = b"""From: MAILER-DAEMON@mx.example
Return-Path: <>
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

I am sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; gone@shop.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; shop.example
Diagnostic-Code: smtp; 550 5.1.1 no such user

Final-Recipient: rfc822; full@shop.example
Action: delayed
Status: 4.2.2
--b
Content-Type: text/rfc822-headers

Message-ID: <case-7@desk.example>
--b--
"""
QMAIL = b"""From: MAILER-DAEMON@mx.example
To: desk@desk.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.

<gone@shop.example>:
550 5.1.1 no such user

--- Below this line is a copy of the message.

Return-Path: <desk@desk.example>
Message-ID: <case-7@desk.example>
To: gone@shop.example
"""


def test_a_standard_report_is_read_recipient_by_recipient() -> None:
    report = bounce.read(mime.read(DSN))
    assert report is not None
    assert report.original_id == "case-7@desk.example"
    assert report.is_standard
    assert [(one.address, one.action, one.status, one.is_permanent) for one in report.failures] == [
        ("gone@shop.example", "failed", "5.1.1", True),
        ("full@shop.example", "delayed", "4.2.2", False),
    ]
    assert report.failures[0].diagnostic == "550 5.1.1 no such user"
    assert report.failures[0].remote_server == "shop.example"


def test_an_action_of_a_blank_alone_is_none() -> None:
    raw = b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\nAction: \xa0\n"
    report = bounce.read(mime.read(raw))
    assert report is not None
    assert [(failure.address, failure.action) for failure in report.failures] == [("a@b.example", "failed")]


def test_a_free_form_bounce_is_read_off_its_text() -> None:
    report = bounce.read(mime.read(QMAIL))
    assert report is not None
    assert not report.is_standard
    assert report.original_id == "case-7@desk.example"
    assert [(one.address, one.action, one.status) for one in report.failures] == [
        ("gone@shop.example", "failed", "5.1.1")
    ]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("Auto-Submitted: no", "human"),
        ("Subject: Where is my order?", "human"),
        ("Auto-Submitted: auto-replied (vacation)", "auto_reply"),
        ("Auto-Submitted: auto-generated; owner=x", "auto_generated"),
        ("X-Autoreply: yes", "auto_reply"),
        ("Precedence: bulk", "bulk"),
        ("Precedence: auto_reply", "auto_reply"),
        ("List-Id: <talk.lists.example>", "list"),
        ("List-Unsubscribe: <mailto:x@y.example>", "bulk"),
        ("X-Auto-Response-Suppress: All", "auto_generated"),
        ("Subject: Automatic reply: Where is my order?", "auto_reply"),
        ("Subject: پاسخ خودکار: سفارش من", "auto_reply"),
        ("Return-Path: <>", "auto_generated"),
        ("From: no-reply@shop.example", "auto_generated"),
    ],
)
def test_the_origin_follows_the_strongest_sign(headers: str, kind: str) -> None:
    origin = automatic.classify(mime.read(f"{headers}\n\nhello".encode()))
    assert (origin.kind, origin.may_be_answered) == (kind, kind == "human")
    assert origin.reason


def test_a_delivery_report_is_a_bounce() -> None:
    assert automatic.classify(mime.read(DSN)).kind == "bounce"


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@b> <c@d>\r\n <a@b>", ("a@b", "c@d")),
        ('Your message of "Tue, 1 Apr" <a@b>', ("a@b",)),
        ("a@b.example", ("a@b.example",)),
        ("<a@b.exam\r\n ple>", ("a@b.example",)),
        ("<>", ()),
        ("nothing here", ()),
    ],
)
def test_ids_are_read_in_order_and_once(value: str, ids: tuple[str, ...]) -> None:
    assert thread.message_ids(value) == ids


def test_a_thread_is_found_by_its_parents_and_keyed_by_its_root() -> None:
    assert thread.parents(("c",), ("a", "b", "c")) == ("c", "b", "a")
    assert thread.key("d", ("c",), ("a", "b", "c")) == "a"
    assert thread.key("d", (), ()) == "d"
    assert thread.answering("d", ("c",), ("a", "c")) == ("a", "c", "d")
