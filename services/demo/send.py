"""Sends the demo's pieces through the front door, each as its gateway does."""

import re
import smtplib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from channels.signing import sign_twilio
from services.demo.plan import MAILBOX, Expected, FormPost, Letter, Piece, Sms

_TOKEN: Final = re.compile(r'name="token"\s+value="([^"]+)"')
_FOUND: Final = 303
_INVALID: Final = 422
_FORBIDDEN: Final = 403


@dataclass(slots=True)
class Gateways:
    """The senders' side: Twilio, a mail server, a browser."""

    sms_url: str
    auth_token: str
    form_url: str
    smtp: str
    tokens: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def connected(self) -> Generator[Callable[[Piece], Expected | None]]:
        """A function that sends one piece; None = the mail door does not tell more than that it took it."""
        host, _, port = self.smtp.rpartition(":")
        with httpx.Client(timeout=15) as web, smtplib.SMTP(host, int(port), timeout=15) as mail:
            mail.ehlo("mx.example.com")
            yield lambda piece: self._send(piece, web, mail)

    def _send(self, piece: Piece, web: httpx.Client, mail: smtplib.SMTP) -> Expected | None:
        if isinstance(piece, Sms):
            return self._twilio(piece, web)
        if isinstance(piece, FormPost):
            return self._form(piece, web)
        return _letter(piece, mail)

    def _twilio(self, piece: Sms, web: httpx.Client) -> Expected | None:
        url = f"{self.sms_url}/status" if piece.is_status else self.sms_url
        pairs = list(piece.params.items())
        signature = "Zm9yZ2VkIQ==" if piece.is_forged else sign_twilio(self.auth_token, url, pairs)
        return _result(web.post(url, data=piece.params, headers={"X-Twilio-Signature": signature}))

    def _form(self, piece: FormPost, web: httpx.Client) -> Expected | None:
        if not piece.is_page:
            return _result(web.post(self.form_url, json=piece.values))
        who = piece.values["contact"]
        if not piece.again:
            found = _TOKEN.search(web.get(self.form_url).text)
            self.tokens[who] = found.group(1) if found else ""
        return _result(web.post(self.form_url, data={**piece.values, "token": self.tokens[who], "language": "fa"}))


def _letter(piece: Letter, mail: smtplib.SMTP) -> Expected | None:
    try:
        mail.sendmail(piece.sender, [MAILBOX], piece.raw)
    except smtplib.SMTPResponseException:
        return "refused"
    return None


def _result(response: httpx.Response) -> Expected | None:
    named = response.headers.get("tamas-result")
    if named in ("accepted", "duplicate", "parked"):
        return named
    return "refused" if response.status_code in (_FORBIDDEN, _INVALID) else None


def expected(pieces: Sequence[Piece]) -> dict[str, int]:
    """The numbers that must come out."""
    counts = {
        name: sum(piece.expect == name for piece in pieces) for name in ("accepted", "duplicate", "refused", "parked")
    }
    return {
        "sent": len(pieces),
        "accepted": counts["accepted"],
        "duplicates": counts["duplicate"],
        "refused": counts["refused"],
        "parked": counts["parked"],
        "on Kafka": sum(piece.facts for piece in pieces),
        "on the timeline": sum(piece.rows for piece in pieces),
    }
