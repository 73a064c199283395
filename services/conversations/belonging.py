"""Which conversation an interaction belongs to: one pure decision that says why. A subject line never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

from schemas.conversation import Brought, Ground, Why
from services.conversations.states import Answered, Closed, Conversation, Waiting

OPENS: Final[frozenset[Brought]] = frozenset({"message", "missed_call", "taken_call"})
"""What begins a conversation where there is none; an auto-reply, a bounce or a flood of mails never does."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`reopen_within`: a conversation that is over for longer is not gone on with; a new one is opened.

    `mails_per_hour`: more from one address to one inbox are a loop of machines.
    """

    reopen_within: timedelta = timedelta(days=14)
    mails_per_hour: int = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation that this ground leads to."""

    ground: Ground
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Joins:
    """It belongs to this one."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Opens:
    """It begins one."""

    why: Why


@dataclass(frozen=True, slots=True)
class Alone:
    """It belongs to none: nobody is waiting because of it."""


Choice: TypeAlias = Joins | Opens | Alone


def choose(candidates: Sequence[Candidate], brought: Brought, at: datetime, rules: Rules) -> Choice:
    """The first candidate that still goes on; they come strongest ground first. `at` is when it was recorded."""
    for candidate in candidates:
        if _goes_on(candidate, brought, at, rules):
            return Joins(candidate)
    if brought not in OPENS:
        return Alone()
    return Opens("expired" if candidates else "no_conversation")


def _goes_on(candidate: Candidate, brought: Brought, at: datetime, rules: Rules) -> bool:
    is_recent = at - candidate.conversation.since_at <= rules.reopen_within
    match candidate.conversation:
        case Waiting():
            return True
        case Answered():
            # Who refers to an old answer means it; who only writes again after months does not.
            return is_recent or candidate.ground != "open_conversation"
        case Closed():
            # What a machine sends after the end is no part of it, unless it refers to it.
            return is_recent and (brought in OPENS or candidate.ground != "open_conversation")
        case _:
            assert_never(candidate.conversation)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many mails a sender has sent lately: a bucket that empties at `mails_per_hour`."""

    level: float = 0.0
    at: datetime | None = None

    def after(self, at: datetime, rules: Rules) -> "Pace":
        """With one mail more."""
        elapsed = 0.0 if self.at is None else max(0.0, (at - self.at).total_seconds())
        level = max(0.0, self.level - elapsed * rules.mails_per_hour / 3600)
        # No higher than one hour's worth above the limit, so that a loop that ended is soon forgiven.
        return Pace(min(level + 1, 2.0 * rules.mails_per_hour), at)

    def is_flood(self, rules: Rules) -> bool:
        """Whether the last of them was one too many."""
        return self.level > rules.mails_per_hour
