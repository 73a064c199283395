"""The way out: what is sent, what a channel is given to send it with, and how that can end. Nothing here does I/O.

A sender ends in `HandedOff`, or raises `Retryable`, `Rejected` or `InDoubt`: dispatch decides by class, never by
provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from channels.contract import Origin


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes with a message."""

    name: str | None
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail belongs: the subject so far, and the Message-IDs of the conversation, oldest first, in brackets."""

    subject: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with all that its sender needs.

    `origin` is the inbox that sends it, `reference` what customers may quote, `reply_key` what leads an answer back to
    the conversation, `status_url` where the provider reports to. `automatic`: nobody wrote it for this customer.
    """

    message_id: UUID
    attempt: int
    origin: Origin
    address: str
    text: str
    form: Literal["text", "html", "speech"]
    language: str
    reference: str
    sent_at: datetime
    status_url: str
    html: str | None = None
    automatic: bool = False
    reply_key: str | None = None
    thread: Thread = Thread()
    attachments: tuple[Enclosed, ...] = ()


@dataclass(frozen=True, slots=True)
class HandedOff:
    """The provider took it. `provider_id` is what its receipts call it, as the channel that reads them derives from."""

    provider_id: str


class Retryable(Exception):
    """Nothing was sent, and the same may work later. `after_seconds`: not before, as the provider says."""

    def __init__(self, code: str, why: str, after_seconds: float | None = None) -> None:
        """`code` in lower case (`throttled`, `unreachable`), `why` a sentence for an agent that names nobody."""
        super().__init__(why)
        self.code, self.why, self.after_seconds = code, why, after_seconds


class Rejected(Exception):
    """The provider refuses it for good: the same would be refused again."""

    def __init__(self, code: str, why: str) -> None:
        """As for `Retryable`; `code` may be the provider's own."""
        super().__init__(why)
        self.code, self.why = code, why


class InDoubt(Exception):
    """It may have been taken: the first byte went out, and no answer that can be read came back."""

    def __init__(self, why: str) -> None:
        """`why` is a sentence for an agent that names nobody."""
        super().__init__(why)
        self.why = why


class Unsent(Exception):
    """What a wire raises when no byte of the message left: no name, no connection, no TLS."""


class Unanswered(Exception):
    """What a wire raises when it is unknown what arrived: the connection broke, or time ran out."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Http(Protocol):
    """What a channel sends by, over HTTP."""

    async def post(self, url: str, *, body: bytes, headers: Sequence[tuple[str, str]]) -> HttpAnswer:
        """One request, never repeated by itself, redirects not followed. Raises `Unsent`, `Unanswered`."""
        ...


@dataclass(frozen=True, slots=True)
class MailServer:
    """Whom mail is handed to. `security`: TLS from the first byte, STARTTLS demanded, or none."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """A reply of SMTP (RFC 5321, section 4.2). `phase` is the command that it answers."""

    code: int
    text: str
    phase: Literal["connect", "mail", "rcpt", "data", "end"]


class Submit(Protocol):
    """What a channel sends by, over SMTP."""

    async def submit(self, server: MailServer, sender: str, recipient: str, content: bytes) -> MailAnswer:
        """The reply that ended it: to the content (`end`), or the first refusal. Raises `Unsent`, `Unanswered`."""
        ...


@dataclass(frozen=True, slots=True)
class Wires:
    """All that leads out of the house."""

    http: Http
    mail: Submit


class Sender(Protocol):
    """A channel that can send."""

    @property
    def idempotent(self) -> bool:
        """Whether the provider knows a repeat by its `message_id`, so that what is in doubt may be sent again."""
        ...

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:
        """Hand it to the provider. Raises `Retryable`, `Rejected`, `InDoubt`, and nothing else."""
        ...
