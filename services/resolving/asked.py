"""What a resolution is made from. Frozen values; whoever asks reads them from the record. Times are aware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final
from uuid import UUID

from channels.contract import Capabilities
from schemas.interaction import Kind

LIVE_SECONDS: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class Question:
    """What is answered. `address` is the customer's: where they wrote or called from, or what they left in a form."""

    kind: Kind
    inbox_id: UUID
    channel: str
    address: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` until before `ends`, on the customer's wall clock; over midnight when it begins after it ends."""

    begins: time
    ends: time

    def __post_init__(self) -> None:
        """Raises ValueError for hours that never end or that name a zone."""
        if self.begins == self.ends:
            raise ValueError("quiet hours that end when they begin would never end")
        if self.begins.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError("quiet hours are of the customer's own wall clock and name no zone")


@dataclass(frozen=True, slots=True)
class Preference:
    """What a customer likes, best first: a kind (`sms`), a provider (`telegram`) or both (`chat/telegram`).

    `time_zone` is a name of the IANA database, `language` is BCP 47; None = nothing was said of it.
    """

    channels: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What was allowed or forbidden for one address; the last word counts. `channel` None: whatever reaches it.

    `purpose` is `service` for answers, `any` for all; consent for others (marketing) neither allows nor forbids one.
    """

    address: str
    channel: str | None
    purpose: str
    granted: bool
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Inbox:
    """One of the tenant's own. `address` is ours."""

    inbox_id: UUID
    channel: str
    name: str
    address: str
    capabilities: Capabilities
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """What shall be said. With `as_call` nothing is written: an agent wants to speak.

    `automatic`: nobody wrote it for this customer, so it takes no other way than the question's own back.
    """

    text: str
    html: str | None = None
    attachments: int = 0
    as_call: bool = False
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """An agent chose the channel (as in `Preference`) and said why."""

    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class House:
    """What the tenant settled. `live_seconds`: so long after a question the customer is taken to be awake."""

    time_zone: str
    language: str
    quiet_hours: QuietHours | None = None
    live_seconds: int = LIVE_SECONDS


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that decides. `addresses` are the customer's known ones, the question's need not be repeated.

    `heard_at`: when an address last wrote to an inbox, by (inbox_id, address); the question need not be repeated.
    """

    message: Message
    house: House
    inboxes: tuple[Inbox, ...]
    question: Question | None = None
    addresses: tuple[str, ...] = ()
    stated: Preference | None = None
    on_file: Preference | None = None
    consents: tuple[Consent, ...] = ()
    heard_at: Mapping[tuple[UUID, str], datetime] = field(default_factory=dict[tuple[UUID, str], datetime])
    override: Override | None = None
