"""A message of ours and what became of it so far, folded from its stream. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from schemas.event import Event
from schemas.interaction import DeliveryState
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
)

MessageState = Literal["queued", "sending", "sent", "delivered", "read", "in_doubt", "failed", "withdrawn"]
"""`queued`: nothing is under way, it goes (again) when its time comes; `sent`: a provider has it."""
Outcome = Literal["started", "handed_off", "refused", "in_doubt"]
_ARRIVED: Final = ("delivered", "read")
_STATES: Final[dict[str, MessageState]] = {
    "message.resolved": "queued",
    "message.started": "sending",
    "message.handed_off": "sent",
    "message.refused": "queued",
    "message.in_doubt": "in_doubt",
    "message.failed": "failed",
}
_JUDGED: Final[dict[str, MessageState]] = {"arrived": "delivered", "not_sent": "queued"}
_OUTCOMES: Final[dict[str, Outcome]] = {
    "message.handed_off": "handed_off",
    "message.refused": "refused",
    "message.in_doubt": "in_doubt",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand it over. `retry_at`: the same way is tried again then; `code` and `why` where it was refused."""

    attempt: int
    channel: str
    inbox_id: UUID
    started_at: datetime
    outcome: Outcome = "started"
    ended_at: datetime | None = None
    provider_id: str | None = None
    code: str | None = None
    why: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider said of an attempt, and when we recorded it."""

    attempt: int
    state: DeliveryState
    code: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """`asked` and `resolved` are without their personal parts once the address is erased; `position` is of the last.

    `first` is where it was to go when it was asked for, `resolved` the latest of several rounds. `code` and `why` tell
    a failure.
    """

    asked: MessageAsked
    asked_at: datetime
    position: int
    first: MessageResolved | None = None
    resolved: MessageResolved | None = None
    state: MessageState = "queued"
    attempts: tuple[Attempt, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    judged: Literal["arrived", "not_sent"] | None = None
    code: str | None = None
    why: str | None = None


def message_after(events: Iterable[Event]) -> Message | None:
    """The message after all events of its stream, in order; None for a stream that is none of a message."""
    message: Message | None = None
    for event in events:
        if isinstance(event.fact, MessageAsked):
            message = Message(event.fact, event.recorded_at, event.position)
        elif message is not None:
            message = replace(_after(message, event), position=event.position)
    return message


def _after(message: Message, event: Event) -> Message:
    fact, at = event.fact, event.recorded_at
    match fact:
        case MessageWithdrawn():
            return replace(message, state="withdrawn")
        case MessageReported():
            return _reported(message, fact, at)
        case MessageHandedOff() | MessageRefused() | MessageInDoubt():
            ended = _ended(message, fact, at)
            return replace(ended, state=_unless_arrived(message, _STATES[fact.type]))
        case MessageResolved():
            message = replace(message, first=message.first or fact, resolved=fact)
        case MessageStarted():
            attempt = Attempt(fact.attempt, fact.channel, fact.inbox_id, at)
            message = replace(message, attempts=(*message.attempts, attempt))
        case MessageJudged():
            return replace(message, judged=fact.judged, state=_unless_arrived(message, _JUDGED[fact.judged]))
        case MessageFailed():
            message = replace(message, code=fact.code, why=fact.why)
        case _:
            return message
    return replace(message, state=_unless_arrived(message, _STATES[fact.type]))


def _ended(message: Message, fact: MessageHandedOff | MessageRefused | MessageInDoubt, at: datetime) -> Message:
    told = fact.model_dump(include={"provider_id", "code", "why", "retry_at"})
    outcome = _OUTCOMES[fact.type]
    attempts = tuple(
        replace(one, outcome=outcome, ended_at=at, **told) if one.attempt == fact.attempt else one
        for one in message.attempts
    )
    return replace(message, attempts=attempts)


def _reported(message: Message, fact: MessageReported, at: datetime) -> Message:
    receipts = (*message.receipts, Receipt(fact.attempt, fact.state, fact.code, at))
    if fact.state == "read" or (fact.state == "delivered" and message.state != "read"):
        return replace(message, receipts=receipts, state=fact.state)
    # Of an earlier attempt, only that it arrived still matters.
    if not message.attempts or fact.attempt != message.attempts[-1].attempt:
        return replace(message, receipts=receipts)
    state: MessageState = "failed" if fact.state == "failed" else "sent"
    return replace(message, receipts=receipts, state=_unless_arrived(message, state))


def _unless_arrived(message: Message, state: MessageState) -> MessageState:
    return message.state if message.state in _ARRIVED else state
