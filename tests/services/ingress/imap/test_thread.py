"""Our answer stands in the customer's own thread: judged by Dovecot's THREAD (RFC 5256), not by us."""

from typing import Any
from uuid import UUID

from channels.email.letter import write
from channels.email.smtp import SmtpConfig
from channels.sending import Thread
from tests.channels.outgoing import outgoing
from tests.services.ingress.imap.dovecot import running

CONFIG = SmtpConfig(address="help@shop.example", from_name="فروشگاه")
KEY = "abcdefghijklmnopqrstuvwxyz234567abcdefghij"


def _theirs(number: int, subject: str, *above: str) -> bytes:
    thread = f"In-Reply-To: {above[-1]}\r\nReferences: {' '.join(above)}\r\n" if above else ""
    return (
        f"From: sara@example.com\r\nTo: help@shop.example\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@example.com>\r\n"
        f"Date: Fri, 20 Nov 2026 09:0{number}:00 +0000\r\n{thread}\r\nhello\r\n"
    ).encode()


def _ours(number: int, subject: str, answers: str, *above: str) -> bytes:
    thread = Thread(subject, answers, above)
    message = outgoing(
        message_id=UUID(int=number), address="mailto:sara@example.com", thread=thread, reply_key=KEY, html="<p>x</p>"
    )
    return write(CONFIG, message).content


def _flat(tree: Any) -> list[int]:
    return [number for part in tree for number in (_flat(part) if isinstance(part, tuple) else [part])]


def test_an_answer_is_in_the_thread_of_what_it_answers() -> None:
    first = _ours(1, "Where is order 12?", "<1@example.com>", "<1@example.com>")
    ours = next(line for line in first.decode().split("\r\n") if line.startswith("Message-ID: ")).partition(" ")[2]
    mails = (
        _theirs(1, "Where is order 12?"),
        _theirs(2, "Another matter"),
        first,
        _theirs(3, "Re: Where is order 12?", "<1@example.com>", ours),
        _ours(2, "Re: Where is order 12?", "<3@example.com>", "<1@example.com>", ours, "<3@example.com>"),
    )
    with running() as dovecot:
        dovecot.append(*mails)
        with dovecot.client("INBOX") as client:
            threads = client.thread("REFERENCES")
    assert sorted(sorted(_flat(thread)) for thread in threads) == [[1, 3, 4, 5], [2]]
