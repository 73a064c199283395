"""What a message can be told: by whom it is sent for, by its sender, by receipts and by timers."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from schemas.interaction import DeliveryState
from schemas.outbound import MessageResolved


@dataclass(frozen=True, slots=True)
class Start:
    """Its time has come, and so has its turn."""


@dataclass(frozen=True, slots=True)
class Took:
    """The provider took this attempt, and its receipts will name `receipts_as`. `provider_id` "": a receipt told it."""

    attempt: int
    provider_id: str
    receipts_as: UUID


@dataclass(frozen=True, slots=True)
class Refuse:
    """The provider did not take this attempt. `lasting`: the same would be refused again.

    `after_seconds`: not before, as the provider says. `chance` in [0, 1) spreads the next tries of many.
    """

    attempt: int
    code: str
    why: str
    at: datetime
    lasting: bool = False
    after_seconds: float | None = None
    chance: float = 0.5


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody knows how this attempt ended."""

    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt of this attempt."""

    attempt: int
    state: DeliveryState
    code: str | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It cannot even be started, and waiting mends nothing."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class FallBack:
    """No delivery in time: this is the next way."""

    resolved: MessageResolved


Command: TypeAlias = Start | Took | Refuse | Doubt | Report | GiveUp | FallBack
