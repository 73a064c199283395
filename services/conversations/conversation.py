"""What becomes of a conversation. Pure: commands, decide and evolve."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Final, assert_never

from schemas.conversation import (
    Brought,
    ConversationAnswered,
    ConversationClosed,
    ConversationFact,
    ConversationJoined,
    ConversationOpened,
    ConversationReleased,
    ConversationReopened,
    ConversationTaken,
    WaitsFor,
)
from services.conversations.by_agents import by_agent
from services.conversations.commands import Command, Correct, Join, Open
from services.conversations.states import (
    About,
    Answered,
    Closed,
    Conversation,
    NoConversation,
    State,
    Waiting,
    name_of,
    named,
    waits_for_of,
)
from services.conversations.telling import answered, reopened
from services.record.errors import Refused

_WAITS_FOR: Final[dict[Brought, WaitsFor]] = {"message": "message", "missed_call": "call_back"}


def decide(state: State, command: Command) -> tuple[ConversationFact, ...]:
    """The facts that the command leads to; none when it is so already. Raises `Refused`."""
    if isinstance(command, Open):
        return (_opened(state, command),)
    if isinstance(state, NoConversation):
        raise Refused("There is no such conversation.")
    match command:
        case Join():
            return _joined(state, command)
        case Correct():
            return _corrected(state, command)
        case _:
            return by_agent(state, command)


def _opened(state: State, command: Open) -> ConversationOpened:
    if not isinstance(state, NoConversation):
        raise Refused("There is a conversation with this id already.")
    waits_for = _WAITS_FOR.get(command.brought)
    return ConversationOpened(
        conversation_id=command.conversation_id,
        address_id=command.address_id,
        inbox_id=command.inbox_id,
        channel=command.channel,
        interaction_id=command.interaction_id,
        why=command.why,
        brought=command.brought,
        state="answered" if waits_for is None else "waiting",
        since_at=command.at,
        waits_for=waits_for,
    )


def _joined(state: Conversation, command: Join) -> tuple[ConversationFact, ...]:
    after = _after(state, command.brought, command.at)
    joined = ConversationJoined(
        conversation_id=state.about.conversation_id,
        interaction_id=command.interaction_id,
        interactions=state.about.interactions + 1,
        why=command.why,
        brought=command.brought,
        state=name_of(after),
        since_at=after.since_at,
        waits_for=waits_for_of(after),
    )
    if isinstance(state, Closed) and isinstance(after, Waiting):
        return reopened(after, interaction_id=command.interaction_id), joined
    return (joined,)


def _after(state: Conversation, brought: Brought, at: datetime) -> Conversation:
    waits_for = _WAITS_FOR.get(brought)
    match state:
        case Waiting():
            if waits_for == "message":
                # A message is never settled by a call alone.
                return replace(state, waits_for="message")
            is_settled = brought == "taken_call" and state.waits_for == "call_back"
            return Answered(state.about, at) if is_settled else state
        case Answered() | Closed():
            return state if waits_for is None else Waiting(state.about, at, waits_for)
        case _:
            assert_never(state)


def _corrected(state: Conversation, command: Correct) -> tuple[ConversationFact, ...]:
    match state:
        case Waiting():
            if command.taken and state.waits_for == "call_back":
                return (answered(state, command.at, interaction_id=command.interaction_id),)
            return ()
        case Answered() | Closed():
            if command.taken:
                return ()
            waiting = Waiting(state.about, command.at, "call_back")
            return (reopened(waiting, interaction_id=command.interaction_id),)
        case _:
            assert_never(state)


def evolve(state: State, fact: ConversationFact) -> State:
    """The conversation after this fact. A fact that does not fit the state changes nothing: readers are tolerant."""
    if isinstance(fact, ConversationOpened):
        about = About(fact.conversation_id, fact.address_id, fact.inbox_id, fact.channel, 1)
        return named(about, fact.state, fact.since_at, fact.waits_for)
    return state if isinstance(state, NoConversation) else _after_fact(state, fact)


def _after_fact(state: Conversation, fact: ConversationFact) -> Conversation:
    about, waits_for = state.about, getattr(fact, "waits_for", None)
    match fact:
        case ConversationJoined():
            about = replace(about, interactions=fact.interactions)
        case ConversationClosed() | ConversationReleased():
            about = replace(about, taken_by=None)
        case ConversationTaken():
            about = replace(about, taken_by=fact.agent_id)
        case ConversationOpened() | ConversationReopened() | ConversationAnswered():
            pass
        case _:
            assert_never(fact)
    return named(about, fact.state, fact.since_at, waits_for)


def conversation_after(facts: Iterable[ConversationFact]) -> State:
    """The conversation after all these facts."""
    start: State = NoConversation()
    return reduce(evolve, facts, start)
