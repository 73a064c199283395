"""Mails of the demo: Persian, Japanese in ISO-2022-JP, with attachments, a bounce, an auto-reply, an unreadable one."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

_SENT_AT: Final = format_datetime(datetime(2026, 3, 21, 9, 30, tzinfo=UTC))
_DEEP: Final = 150


def _mail(sender: str, recipient: str, subject: str, message_id: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail["Message-ID"], mail["Date"] = message_id, _SENT_AT
    return mail


def persian(sender: str, recipient: str, message_id: str) -> bytes:
    """UTF-8, as most write today."""
    mail = _mail(f"سارا احمدی <{sender}>", recipient, "سفارش شمارهٔ ۱۲۳", message_id)
    mail.set_content("با سلام\n\nسفارش من شکسته رسیده است. عکس را پیوست می‌کنم.\n\nبا احترام\nسارا\n", cte="base64")
    return mail.as_bytes(policy=SMTP)


def answer(sender: str, recipient: str, parent: str) -> bytes:
    """In the same thread, with the quote below."""
    mail = _mail(f"سارا احمدی <{sender}>", recipient, "Re: سفارش شمارهٔ ۱۲۳", "<order-2@example.com>")
    mail["In-Reply-To"] = mail["References"] = parent
    mail.set_content(
        "خبری نشد؟\n\nOn Sat, 21 Mar 2026 at 10:00, Shop <help@shop.example> wrote:\n> سلام، بررسی می‌کنیم.\n",
        cte="base64",
    )
    return mail.as_bytes(policy=SMTP)


def japanese(sender: str, recipient: str) -> bytes:
    """ISO-2022-JP, in the headers too."""
    mail = _mail(sender, recipient, "", "<jp-1@example.jp>")
    del mail["Subject"]
    head = bytes(mail).split(b"\n\n", 1)[0]
    subject = b"Subject: =?ISO-2022-JP?B?GyRCO2NDbSRYJE5JVkxdGyhC?=\n"
    body = "注文した商品の色が違います。交換できますか。\n".encode("iso2022_jp")
    kind = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-2022-JP\nContent-Transfer-Encoding: 7bit\n\n"
    return (head + b"\n" + subject + kind + body).replace(b"\n", b"\r\n")


def with_attachments(sender: str, recipient: str) -> bytes:
    """Two files, one with a Persian name."""
    mail = _mail(f"Mina Karimi <{sender}>", recipient, "Broken zip", "<mina-1@example.com>")
    mail.set_content("Two pictures of the bag are attached.\n")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(900), maintype="image", subtype="png", filename="bag.png")
    mail.add_attachment(b"%PDF-1.4\n%%EOF\n", maintype="application", subtype="pdf", filename="فاکتور.pdf")
    mail.set_boundary("part-of-mina-1")
    return mail.as_bytes(policy=SMTP)


def bounce(failed: str, recipient: str) -> bytes:
    """A delivery report (RFC 3464) on a mail that the shop sent."""
    return f"""From: Mail Delivery System <mailer-daemon@mx.example.com>
To: {recipient}
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-1@mx.example.com>
Date: {_SENT_AT}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mailbox does not exist.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {failed}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user

--b
Content-Type: message/rfc822

From: {recipient}
To: {failed}
Subject: Your order
Message-ID: <out-77@shop.example>

It is on its way.
--b--
""".replace("\n", "\r\n").encode()


def auto_reply(sender: str, recipient: str) -> bytes:
    """Out of office (RFC 3834): a machine's answer, which opens nothing."""
    mail = _mail(f"علی رضایی <{sender}>", recipient, "در مرخصی هستم", "<vacation-1@example.com>")
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("تا شنبه در مرخصی هستم.\n", cte="base64")
    return mail.as_bytes(policy=SMTP)


def undecodable(sender: str, recipient: str) -> bytes:
    """Parts in parts, deeper than any reader goes: taken, kept, and parked."""
    head = f"From: {sender}\nTo: {recipient}\nSubject: deep\nMessage-ID: <deep-1@example.net>\nDate: {_SENT_AT}\n"
    layers = "".join(f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n' for depth in range(_DEEP))
    return (head + "MIME-Version: 1.0\n" + layers + "Content-Type: text/plain\n\nx\n").replace("\n", "\r\n").encode()
