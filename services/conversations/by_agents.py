"""What agents ask of a conversation, and what becomes of our messages in it. Pure."""

from typing import Final, assert_never

from schemas.conversation import (
    ConversationClosed,
    ConversationFact,
    ConversationReleased,
    ConversationReopened,
    ConversationTaken,
)
from services.conversations.commands import Answer, Asked, Close, Fail, Release, Reopen, Take, Withdraw
from services.conversations.states import Answered, Closed, Conversation, Waiting, name_of, waits_for_of
from services.conversations.telling import answered, reopened
from services.record.errors import Refused

_ANOTHERS: Final[dict[type[Take | Release], str]] = {
    Take: "Another agent has taken this conversation.",
    Release: "Another agent has this conversation: it is theirs to give back.",
}


def by_agent(state: Conversation, command: Asked) -> tuple[ConversationFact, ...]:
    """The facts that the command leads to; none when it is so already. Raises `Refused`."""
    match command:
        case Answer():
            return _answer(state, command)
        case Fail():
            return (_failed(state, command),)
        case Withdraw():
            return _withdrawn(state, command)
        case Close() | Reopen():
            return _asked(state, command)
        case Take() | Release():
            return _held(state, command)
        case _:
            assert_never(command)


def _answer(state: Conversation, command: Answer) -> tuple[ConversationFact, ...]:
    taken_by = state.about.taken_by
    if isinstance(state, Closed):
        raise Refused("This conversation is closed: open it again to answer.")
    if command.agent_id is not None and taken_by not in (None, command.agent_id):
        raise Refused("Another agent has taken this conversation: take it over to answer.")
    if command.seen == "waiting" and isinstance(state, Answered):
        raise Refused("It was answered while you wrote. Read that answer; send yours again if it is still needed.")
    return (answered(state, command.at, message_id=command.message_id),)


def _failed(state: Conversation, command: Fail) -> ConversationReopened:
    # Told also where it waits anyway: whoever answers at the same moment is a conflict then, and one of them is second.
    waiting = state if isinstance(state, Waiting) else Waiting(state.about, command.at, "message")
    return reopened(waiting, message_id=command.message_id)


def _withdrawn(state: Conversation, command: Withdraw) -> tuple[ConversationFact, ...]:
    if isinstance(state, Waiting):
        return ()
    return (reopened(Waiting(state.about, command.at, "message"), reopened_by=command.agent_id),)


def _asked(state: Conversation, command: Close | Reopen) -> tuple[ConversationFact, ...]:
    is_closed, of = isinstance(state, Closed), state.about.conversation_id
    match command:
        case Close():
            closed = ConversationClosed(conversation_id=of, closed_by=command.closed_by, since_at=command.at)
            return () if is_closed else (closed,)
        case Reopen():
            again = ConversationReopened(
                conversation_id=of, reopened_by=command.reopened_by, state="answered", since_at=command.at
            )
            return (again,) if is_closed else ()
        case _:
            assert_never(command)


def _held(state: Conversation, command: Take | Release) -> tuple[ConversationFact, ...]:
    about, taken_by = state.about, state.about.taken_by
    if taken_by not in (None, command.agent_id) and not (isinstance(command, Take) and command.over):
        raise Refused(_ANOTHERS[type(command)])
    if isinstance(command, Take) and isinstance(state, Closed):
        raise Refused("This conversation is closed: open it again to take it.")
    kind, wanted = (ConversationTaken, command.agent_id) if isinstance(command, Take) else (ConversationReleased, None)
    if taken_by == wanted:
        return ()
    return (
        kind(
            conversation_id=about.conversation_id,
            agent_id=command.agent_id,
            state=name_of(state),
            since_at=state.since_at,
            waits_for=waits_for_of(state),
        ),
    )
