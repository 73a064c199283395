"""The state of a message from its facts, each with the time at which it was recorded. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

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
from services.dispatch.states import (
    About,
    Asked,
    Course,
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
    Way,
    Withdrawn,
)

LESS_PREFERRED: Final = "less_preferred"
"""The resolver's code of a way that would have been possible."""


def evolve(state: State, fact: OutboundFact, at: datetime) -> State:
    """The message after this fact. A fact that does not fit the state changes nothing: readers are tolerant."""
    match fact:
        case MessageAsked():
            about = About(fact.message_id, fact.address_id, fact.conversation_id, fact.automatic, fact.undo_until)
            return Asked(about) if isinstance(state, NoMessage) else state
        case MessageResolved():
            return _resolved(state, fact, at)
        case _:
            return state if isinstance(state, (NoMessage, Asked, Unreachable, Withdrawn)) else _after(state, fact, at)


def message_after(facts: Iterable[tuple[OutboundFact, datetime]]) -> State:
    """The message after all these facts."""
    state: State = NoMessage()
    for fact, at in facts:
        state = evolve(state, fact, at)
    return state


def resumed(state: OnCourse, at: datetime) -> OnCourse:
    """As if this attempt had never begun: for a provider that knows a repeat by its `message_id`."""
    return Due(state.course, at) if isinstance(state, Started) else state


def _resolved(state: State, fact: MessageResolved, at: datetime) -> State:
    if isinstance(state, (NoMessage, Unreachable, Withdrawn)):
        return state
    course = None if isinstance(state, Asked) else state.course
    about = state.about if isinstance(state, Asked) else state.course.about
    if fact.channel is None or fact.inbox_id is None:
        return Unreachable(about) if course is None else state
    has_next = any(one.code == LESS_PREFERRED for one in fact.rejected)
    way = Way(fact.channel, fact.inbox_id, fact.round, has_next)
    due_at = max(one for one in (at, about.undo_until, fact.hold_until) if one is not None)
    return Due(Course(about, way, 0 if course is None else course.attempt, 0, due_at), due_at)


def _after(state: OnCourse, fact: OutboundFact, at: datetime) -> State:
    course = state.course
    match fact:
        case MessageStarted() | MessageHandedOff() | MessageRefused() | MessageInDoubt():
            return _attempted(state, fact)
        case MessageReported():
            return _reported(state, fact)
        case MessageJudged():
            return _judged(state, fact, at)
        case MessageWithdrawn():
            return Withdrawn(course.about)
        case MessageFailed():
            return Failed(course)
        case MessageAsked() | MessageResolved():
            return state
        case _:
            assert_never(fact)


def _attempted(state: OnCourse, fact: MessageStarted | MessageHandedOff | MessageRefused | MessageInDoubt) -> OnCourse:
    course = state.course
    match fact:
        case MessageStarted():
            return Started(replace(course, attempt=fact.attempt, tries=course.tries + 1))
        case MessageHandedOff():
            return HandedOff(course) if isinstance(state, (Started, InDoubt)) else state
        case MessageRefused():
            return Failed(course) if fact.retry_at is None else Due(course, fact.retry_at)
        case MessageInDoubt():
            return InDoubt(course)
        case _:
            assert_never(fact)


def _reported(state: OnCourse, fact: MessageReported) -> OnCourse:
    match fact.state:
        case "read":
            return Read(state.course)
        case "delivered":
            return state if isinstance(state, Read) else Delivered(state.course)
        case "queued" | "sent" | "failed":
            return HandedOff(state.course, fact.state) if isinstance(state, HandedOff) else state
        case _:
            assert_never(fact.state)


def _judged(state: OnCourse, fact: MessageJudged, at: datetime) -> OnCourse:
    if not isinstance(state, InDoubt):
        return state
    # Who says that it arrived is believed: no other way is tried.
    return Delivered(state.course) if fact.judged == "arrived" else Due(replace(state.course, since_at=at, tries=0), at)
