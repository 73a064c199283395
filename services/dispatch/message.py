"""What a message's commands lead to. Pure; `folding` is the other half.

What is reported is a lattice, whatever order it comes in: queued, sent, failed, delivered, read; the highest holds.
"""

from typing import Final, assert_never
from uuid import UUID

from schemas.interaction import DeliveryState
from schemas.outbound import (
    MessageFailed,
    MessageHandedOff,
    MessageInDoubt,
    MessageRefused,
    MessageReported,
    MessageStarted,
    OutboundFact,
)
from services.dispatch.commands import Command, Doubt, FallBack, GiveUp, Refuse, Report, Start, Took
from services.dispatch.retrying import MOST_TRIES, retry_at
from services.dispatch.states import (
    Asked,
    Delivered,
    Due,
    Failed,
    HandedOff,
    InDoubt,
    NoMessage,
    OnCourse,
    Read,
    Started,
    State,
    Unreachable,
    Withdrawn,
)

_RANKS: Final[dict[DeliveryState, int]] = {"queued": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}
_ARRIVED: Final = ("delivered", "read")
_EXHAUSTED: Final = f"It was tried {MOST_TRIES} times or for a day. The last answer was: "


def decide(state: State, command: Command) -> tuple[OutboundFact, ...]:
    """The facts that the command leads to; none when it comes too late for this state."""
    if isinstance(state, (NoMessage, Asked, Unreachable, Withdrawn)):
        return ()
    match command:
        case Start() | GiveUp():
            return _on_its_turn(state, command)
        case Took() | Refuse() | Doubt():
            return _ended(state, command) if state.course.attempt == command.attempt else ()
        case Report():
            return _reported(state, command)
        case FallBack():
            is_silent = isinstance(state, HandedOff) and state.course.way.round == 1
            return (command.resolved,) if is_silent else ()
        case _:
            assert_never(command)


def _on_its_turn(state: OnCourse, command: Start | GiveUp) -> tuple[OutboundFact, ...]:
    if not isinstance(state, Due):
        return ()
    course = state.course
    if isinstance(command, GiveUp):
        return (MessageFailed(message_id=course.about.message_id, code=command.code, why=command.why),)
    started = MessageStarted(
        message_id=course.about.message_id,
        attempt=course.attempt + 1,
        channel=course.way.channel,
        inbox_id=course.way.inbox_id,
    )
    return (started,)


def _ended(state: OnCourse, command: Took | Refuse | Doubt) -> tuple[OutboundFact, ...]:
    match command:
        case Doubt():
            doubt = MessageInDoubt(message_id=_id(state), attempt=command.attempt, why=command.why)
            return (doubt,) if isinstance(state, Started) else ()
        case Took():
            return _took(state, command)
        case Refuse():
            return _refused(state, command) if isinstance(state, (Started, InDoubt)) else ()
        case _:
            assert_never(command)


def _took(state: OnCourse, command: Took) -> tuple[OutboundFact, ...]:
    # Also of an attempt that another process held to be in doubt, or whose receipt was faster than its answer.
    if not isinstance(state, (Started, InDoubt, Delivered, Read)):
        return ()
    handed_off = MessageHandedOff(
        message_id=_id(state),
        attempt=command.attempt,
        provider_id=command.provider_id,
        receipts_as=command.receipts_as,
    )
    return (handed_off,)


def _refused(state: Started | InDoubt, command: Refuse) -> tuple[OutboundFact, ...]:
    course, again_at = state.course, None
    if not command.lasting:
        again_at = retry_at(course.tries, course.since_at, command.at, command.after_seconds, command.chance)
    refused = MessageRefused(
        message_id=_id(state), attempt=command.attempt, code=command.code, why=command.why, retry_at=again_at
    )
    if again_at is not None:
        return (refused,)
    why = command.why if command.lasting else _EXHAUSTED + command.why
    return refused, MessageFailed(message_id=_id(state), code=command.code, why=why)


def _reported(state: OnCourse, command: Report) -> tuple[OutboundFact, ...]:
    is_current = state.course.attempt == command.attempt
    if _RANKS[command.state] <= _rank(state) or not (is_current or command.state in _ARRIVED):
        return ()
    reported = MessageReported(message_id=_id(state), attempt=command.attempt, state=command.state, code=command.code)
    if command.state != "failed" or not isinstance(state, HandedOff):
        return (reported,)
    why = "The provider reports that it was not delivered."
    return reported, MessageFailed(message_id=_id(state), code=command.code or "not_delivered", why=why)


def _rank(state: OnCourse) -> int:
    match state:
        case HandedOff():
            return -1 if state.reported is None else _RANKS[state.reported]
        case Failed():
            return _RANKS["failed"]
        case Delivered():
            return _RANKS["delivered"]
        case Read():
            return _RANKS["read"]
        case Due() | Started() | InDoubt():
            # On its way again: of what went before, only an arrival matters.
            return _RANKS["failed"]
        case _:
            assert_never(state)


def _id(state: OnCourse) -> UUID:
    return state.course.about.message_id
