"""The states of a message of ours on its way to a customer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from schemas.interaction import DeliveryState


@dataclass(frozen=True, slots=True)
class About:
    """What stays the same in every state. Until `undo_until` nothing is sent."""

    message_id: UUID
    address_id: UUID
    conversation_id: UUID | None
    automatic: bool
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class Way:
    """Where it goes. `round` 2 is the fallback; `has_next`: another way was possible, and less preferred."""

    channel: str
    inbox_id: UUID
    round: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class Course:
    """How far it has come: attempts over all rounds, `tries` of this round, which could first go at `since_at`."""

    about: About
    way: Way
    attempt: int
    tries: int
    since_at: datetime


@dataclass(frozen=True, slots=True)
class NoMessage:
    """Not asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """It is not decided where it goes."""

    about: About


@dataclass(frozen=True, slots=True)
class Due:
    """It goes at `due_at`: at once, after the time to take it back, after quiet hours, or again after a refusal."""

    course: Course
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Started:
    """The provider may have bytes of it."""

    course: Course


@dataclass(frozen=True, slots=True)
class HandedOff:
    """The provider took it, and has reported no more than this since."""

    course: Course
    reported: DeliveryState | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nobody knows whether the provider took it."""

    course: Course


@dataclass(frozen=True, slots=True)
class Delivered:
    """It is with the customer."""

    course: Course


@dataclass(frozen=True, slots=True)
class Read:
    """The customer saw it; no more can become of it."""

    course: Course


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing more is tried; it may be reported delivered all the same."""

    course: Course


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There is no way to the customer."""

    about: About


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It was taken back in time."""

    about: About


OnCourse: TypeAlias = Due | Started | HandedOff | InDoubt | Delivered | Read | Failed
State: TypeAlias = NoMessage | Asked | OnCourse | Unreachable | Withdrawn
Name: TypeAlias = Literal["asked", "due", "started", "handed_off", "in_doubt", "delivered", "read", "failed"]

NAMES: Final[dict[type[Asked | OnCourse], Name]] = {
    Asked: "asked",
    Due: "due",
    Started: "started",
    HandedOff: "handed_off",
    InDoubt: "in_doubt",
    Delivered: "delivered",
    Read: "read",
    Failed: "failed",
}


def named(name: Name, course: Course, due_at: datetime | None, reported: DeliveryState | None) -> OnCourse:
    """The state of this name again."""
    match name:
        case "due":
            return Due(course, due_at or course.since_at)
        case "handed_off":
            return HandedOff(course, reported)
        case _:
            return _PLAIN[name](course)


_PLAIN: Final[dict[str, type[Started | InDoubt | Delivered | Read | Failed]]] = {
    "started": Started,
    "in_doubt": InDoubt,
    "delivered": Delivered,
    "read": Read,
    "failed": Failed,
}
