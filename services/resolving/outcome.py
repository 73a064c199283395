"""What a resolution says: where the answer goes, or that it can go nowhere; and why not anywhere else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ChosenBecause = Literal["override", "stated", "on_file", "question", "form_address", "call_by_message", "consented"]
RejectedBecause = Literal[
    "no_inbox",
    "inbox_closed",
    "one_way",
    "no_address",
    "overridden",
    "consent_missing",
    "consent_withdrawn",
    "carries_no_text",
    "cannot_call",
    "no_attachments",
    "too_long",
    "cannot_start",
    "window_shut",
    "window_shuts_in_quiet_hours",
    "less_preferred",
]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A way that was not taken. `inbox_id` None: the tenant has no such inbox; `address` None: nowhere to send it."""

    channel: str
    inbox_id: UUID | None
    address: str | None
    code: RejectedBecause
    why: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """How it is written. `units` and `segments` are of short messages, None elsewhere; `characters` as UTF-16."""

    form: Literal["text", "html", "speech"]
    characters: int
    encoding: Literal["gsm7", "ucs2"] | None = None
    units: int | None = None
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The way that is taken. `hold_until` (UTC) is when the customer's quiet hours end, None: it may go at once."""

    channel: str
    inbox_id: UUID
    address: str
    rendering: Rendering
    language: str
    code: ChosenBecause
    why: str
    rejected: tuple[Rejected, ...]
    hold_until: datetime | None = None
    hold_why: str | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There is no way; each that there could have been says why not."""

    why: str
    rejected: tuple[Rejected, ...]


Resolution = Resolved | Unreachable
