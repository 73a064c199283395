"""What one fact tells of a message of ours, in the columns that `outgoing.sql` folds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never
from uuid import UUID

from schemas.outbound import (
    MessageAsked,
    MessageFailed,
    MessageHandedOff,
    MessageInDoubt,
    MessageJudged,
    MessageRefused,
    MessageReported,
    MessageResolved,
    MessageStarted,
    MessageWithdrawn,
    OutboundFact,
)

SendingState = Literal["queued", "held", "sending", "sent", "delivered", "read", "failed", "in_doubt", "withdrawn"]
"""`held`: it waits for the end of the customer's quiet hours. `in_doubt`: nobody knows whether the provider took it."""

_STEPS: Final[dict[SendingState, int]] = {"sending": 1, "in_doubt": 2, "sent": 4, "failed": 5}
_RETRIED: Final = 3
"""Above doubt: a refusal that comes late ends it."""
_MOST_ATTEMPTS: Final = 10_000_000
_ENDS: Final[dict[SendingState, int]] = {
    "withdrawn": 1_000_000_001,
    "failed": 1_000_000_002,
    "delivered": 1_000_000_003,
    "read": 1_000_000_004,
}
"""Above every attempt: what reached the customer has reached them, also where a later attempt failed."""


@dataclass(frozen=True, slots=True)
class Sending:
    """`rank` makes the states of a message a lattice: the highest holds, whatever comes when."""

    rank: int | None = None
    state: SendingState | None = None
    why: str | None = None
    hold_until: datetime | None = None
    again: bool = False
    receipts_as: UUID | None = None
    round: int | None = None
    channel: str | None = None
    inbox_id: UUID | None = None
    address: str | None = None


def sending_of(fact: OutboundFact) -> Sending:
    """The columns of this fact."""
    match fact:
        case MessageAsked():
            told = Sending(0, "queued")
        case MessageResolved():
            told = _way(fact)
        case MessageJudged():
            told = _end("delivered") if fact.judged == "arrived" else Sending(again=True)
        case MessageWithdrawn():
            told = _end("withdrawn")
        case MessageFailed():
            told = _end("failed", fact.why)
        case _:
            told = _attempted(fact)
    return told


def _attempted(
    fact: MessageStarted | MessageHandedOff | MessageRefused | MessageInDoubt | MessageReported,
) -> Sending:
    match fact:
        case MessageStarted():
            told = _attempt(fact.attempt, "sending")
        case MessageHandedOff():
            told = Sending(_rank(fact.attempt, _STEPS["sent"]), "sent", receipts_as=fact.receipts_as)
        case MessageRefused():
            told = _refused(fact)
        case MessageInDoubt():
            told = _attempt(fact.attempt, "in_doubt", fact.why)
        case MessageReported():
            told = _reported(fact)
        case _:
            assert_never(fact)
    return told


def _way(fact: MessageResolved) -> Sending:
    if fact.channel is None:
        return Sending()
    return Sending(
        hold_until=fact.hold_until,
        again=fact.round > 1,
        round=fact.round,
        channel=fact.channel,
        inbox_id=fact.inbox_id,
        address=None if fact.personal is None else fact.personal.address,
    )


def _refused(fact: MessageRefused) -> Sending:
    if fact.retry_at is None:
        return _attempt(fact.attempt, "failed", fact.why)
    return Sending(_rank(fact.attempt, _RETRIED), "sending", fact.why, fact.retry_at)


def _reported(fact: MessageReported) -> Sending:
    match fact.state:
        case "delivered" | "read":
            return _end(fact.state)
        case "failed":
            return _attempt(fact.attempt, "failed", fact.code and f"The provider reports a failure: {fact.code}.")
        case "queued" | "sent":
            return _attempt(fact.attempt, "sent")


def _attempt(attempt: int, state: SendingState, why: str | None = None) -> Sending:
    return Sending(_rank(attempt, _STEPS[state]), state, why)


def _end(state: SendingState, why: str | None = None) -> Sending:
    return Sending(_ENDS[state], state, why)


def _rank(attempt: int, step: int) -> int:
    return min(attempt, _MOST_ATTEMPTS) * 10 + step
