"""The states of a conversation: interactions that belong together, and whose turn it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never
from uuid import UUID

from schemas.conversation import ConversationState, WaitsFor


@dataclass(frozen=True, slots=True)
class About:
    """What stays the same in every state, how many interactions there are, and which agent has it."""

    conversation_id: UUID
    address_id: UUID
    inbox_id: UUID | None
    channel: str
    interactions: int
    taken_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class NoConversation:
    """Not opened yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The customer waits for us."""

    about: About
    since_at: datetime
    waits_for: WaitsFor


@dataclass(frozen=True, slots=True)
class Answered:
    """We had our turn."""

    about: About
    since_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is expected from either side."""

    about: About
    since_at: datetime


Conversation: TypeAlias = Waiting | Answered | Closed
State: TypeAlias = NoConversation | Conversation


def name_of(state: Conversation) -> ConversationState:
    """As facts and read models call it."""
    match state:
        case Waiting():
            return "waiting"
        case Answered():
            return "answered"
        case Closed():
            return "closed"
        case _:
            assert_never(state)


def waits_for_of(state: Conversation) -> WaitsFor | None:
    """What the customer waits for."""
    return state.waits_for if isinstance(state, Waiting) else None


def named(about: About, name: ConversationState, since_at: datetime, waits_for: WaitsFor | None) -> Conversation:
    """The state of this name again."""
    match name:
        case "waiting":
            return Waiting(about, since_at, waits_for or "message")
        case "answered":
            return Answered(about, since_at)
        case "closed":
            return Closed(about, since_at)
        case _:
            assert_never(name)
