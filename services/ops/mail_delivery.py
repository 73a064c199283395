"""A mail to the mail door by SMTP (RFC 5321), as a sending server does it."""

import smtplib
import time
from collections.abc import Iterator, Mapping
from typing import Final

from services.ops.request_file import Recorded

_ACCEPTED: Final = 300


def send_mail(
    server: tuple[str, int], recorded: Recorded, recipient: str, times: int
) -> Iterator[Mapping[str, object]]:
    """Send it to this recipient this often over one connection; yields each reply.

    Raises smtplib.SMTPException or OSError when the server is not reached.
    """
    sender = recorded.header("mail-from") or ""
    content = recorded.crlf()
    with smtplib.SMTP(*server, timeout=30) as client:
        client.ehlo("localhost")
        options = [
            word for word, name in (("BODY=8BITMIME", "8bitmime"), ("SMTPUTF8", "smtputf8")) if client.has_extn(name)
        ]
        for number in range(1, times + 1):
            started = time.perf_counter()
            code, said = _one(client, sender, recipient, content, options)
            yield {
                "number": number,
                "status": code,
                "result": None,
                "event_ids": [],
                "request_id": None,
                "answer": said.decode("utf-8", "replace"),
                "seconds": round(time.perf_counter() - started, 4),
            }


def _one(client: smtplib.SMTP, sender: str, recipient: str, content: bytes, options: list[str]) -> tuple[int, bytes]:
    code, said = client.mail(sender, options)
    if code < _ACCEPTED:
        code, said = client.rcpt(recipient)
    if code >= _ACCEPTED:
        client.rset()
        return code, said
    try:
        return client.data(content)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
