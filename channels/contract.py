"""What the edge gives to a channel and what it gets back. A channel is a frozen value; nothing here does I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import Final, Literal, Protocol
from uuid import UUID

from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded
from schemas.customer import ConsentStated, PreferenceStated
from schemas.interaction import InteractionReceived, ReceiptReported

_NAMESPACE: Final = UUID("5f0f9a3e-6c1d-5b7e-9a55-7a3d0c4b1e21").bytes


Said = (
    InteractionReceived
    | ReceiptReported
    | CallProgressed
    | CallAnswered
    | CallEnded
    | CallMissed
    | CallRecorded
    | PreferenceStated
    | ConsentStated
)
"""What a channel may have heard."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came in.

    `inbox` is the natural name (`twilio:+98…`, `smtp:help@…`), never a row id, so that an inbox that is added again
    makes the same ids.
    """

    tenant: str
    inbox: str

    def derive(self, source_key: str, kind: str) -> UUID:
        """The id of what a provider calls `source_key`: the same at every redelivery, for ever."""
        name = f"{self.tenant}\0{self.inbox}\0{source_key}\0{kind}".encode()
        # What uuid5 does, in half its time: version 5 in bits 48-51, variant 10 in bits 64-65 (RFC 9562, section 5.5).
        number = int.from_bytes(sha1(_NAMESPACE + name, usedforsecurity=False).digest()[:16])
        return UUID(int=number & ~(0xF000 << 64 | 0xC000 << 48) | 5 << 76 | 1 << 63)


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A request as it came. Header names are lower case; `url` is the public URL as the provider called it."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime
    origin: Origin
    purpose: str | None = None

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes too large or too foreign for a fact: an attachment, a whole mail. Sealed by the edge under the address."""

    blob_id: UUID
    content: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """One fact a channel read from a request.

    `source_key` is the provider's own id of the fact (with the fact's type it makes the event id). `address` is the
    customer's (`tel:+98…`, `mailto:…`, `form:…`), the same text as in the fact's personal part. `occurred_at` is the
    provider's time, None when it tells none.
    """

    source_key: str
    address: str
    fact: Said
    occurred_at: datetime | None = None
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer in the provider's terms."""

    status: int
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AckPolicy:
    """What to answer when; a wrong code destroys mail at some providers. `away` is for when nothing can be stored.

    `retries`: the sender comes again after `away`. Where it does not, the edge keeps the request on its own disk.
    """

    accepted: Answer
    bad_signature: Answer
    malformed: Answer
    away: Answer
    retries: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel kind can do, as data. `text_limit` in characters; None = no limit of the provider's.

    `reaches`: schemes of the addresses that it can send to; none where it only takes in. `encoding`: `gsm` is counted
    in short messages. `html`: it shows mark-up.
    """

    text_limit: int | None
    receipts: frozenset[Literal["sent", "delivered", "read", "failed"]]
    attachments: bool
    starts_conversations: bool
    reply_window_seconds: int | None = None
    connects_calls: bool = False
    reaches: frozenset[str] = frozenset()
    encoding: Literal["gsm", "unicode"] = "unicode"
    html: bool = False


def answering(channel: "Channel", request: InboundRequest) -> AckPolicy:
    """What to answer to a verified request: its own policy where the provider does what the answer says (`answers`)."""
    own: Callable[[InboundRequest], AckPolicy] | None = getattr(channel, "answers", None)
    return channel.acks if own is None else own(request)


class Channel(Protocol):
    """The way in. `parse` is deterministic: time comes from the request, ids from its origin."""

    @property
    def acks(self) -> AckPolicy:
        """What to answer on each outcome."""
        ...

    def verify(self, request: InboundRequest) -> None:
        """Pass or raise `BadSignature`; compares in constant time."""
        ...

    def parse(self, request: InboundRequest) -> Sequence[Heard]:
        """The facts of the request; empty when there is nothing to say. Raises `Malformed`."""
        ...
