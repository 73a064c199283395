"""What a conversation can be told: by its interactions, by agents, and by what becomes of our messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from schemas.conversation import Brought, ConversationState, Ground, Why


@dataclass(frozen=True, slots=True)
class Open:
    """Begin it with this interaction."""

    conversation_id: UUID
    address_id: UUID
    inbox_id: UUID | None
    channel: str
    interaction_id: UUID
    why: Why
    brought: Brought
    at: datetime


@dataclass(frozen=True, slots=True)
class Join:
    """Take this interaction in."""

    interaction_id: UUID
    why: Ground
    brought: Brought
    at: datetime


@dataclass(frozen=True, slots=True)
class Correct:
    """A call of this conversation came to something else than was known when it joined."""

    interaction_id: UUID
    taken: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of ours goes out. `seen` is the state in which its writer saw the conversation, if they saw it."""

    message_id: UUID
    at: datetime
    agent_id: UUID | None = None
    seen: ConversationState | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """An agent is done with it, or a rule."""

    closed_by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reopen:
    """An agent goes on with it."""

    reopened_by: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Fail:
    """A message of ours did not arrive, and nothing more is tried: the customer still waits."""

    message_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A message of ours was taken back before it was sent: it was no answer. None: no agent did it."""

    agent_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Take:
    """An agent answers it. With `over`, also when another agent has it."""

    agent_id: UUID
    over: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """The agent who has it gives it back."""

    agent_id: UUID


Heard: TypeAlias = Open | Join | Correct
Asked: TypeAlias = Answer | Close | Reopen | Fail | Withdraw | Take | Release
Command: TypeAlias = Heard | Asked
