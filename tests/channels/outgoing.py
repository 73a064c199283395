"""Messages to send, and wires that give a certain answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels.contract import Origin
from channels.sending import HttpAnswer, MailAnswer, MailServer, Outgoing, Wires

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MESSAGE_ID = UUID("6a1c2f6e-3f0b-4e0c-9d5b-0d8f7a5b4c31")
SARA = "tel:+989121234567"


def outgoing(**given: Any) -> Outgoing:
    made: dict[str, Any] = {
        "message_id": MESSAGE_ID,
        "attempt": 1,
        "origin": Origin("shop", "twilio:+982191001234"),
        "address": SARA,
        "text": "سفارش شما در راه است.",
        "form": "text",
        "language": "fa",
        "reference": "T-12",
        "sent_at": AT,
        "status_url": "https://hub.example.com/hooks/sms/twilio/k3y/status",
    }
    return Outgoing(**{**made, **given})


@dataclass
class Given:
    """Both wires at once: whatever is sent ends like this."""

    end: HttpAnswer | MailAnswer | Exception
    posted: list[bytes] = field(default_factory=list[bytes])

    @property
    def wires(self) -> Wires:
        return Wires(self, self)

    async def post(self, url: str, *, body: bytes, headers: Sequence[tuple[str, str]]) -> HttpAnswer:
        assert url
        assert headers
        self.posted.append(body)
        if isinstance(self.end, HttpAnswer):
            return self.end
        raise self.end if isinstance(self.end, Exception) else TypeError

    async def submit(self, server: MailServer, sender: str, recipient: str, content: bytes) -> MailAnswer:
        assert server
        assert sender
        assert recipient
        self.posted.append(content)
        if isinstance(self.end, MailAnswer):
            return self.end
        raise self.end if isinstance(self.end, Exception) else TypeError
