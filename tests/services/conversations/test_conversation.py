"""Whose turn it is: given a state, when this is asked, then these facts."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from services.conversations.commands import (
    Answer,
    Close,
    Command,
    Correct,
    Fail,
    Join,
    Open,
    Release,
    Reopen,
    Take,
    Withdraw,
)
from services.conversations.conversation import conversation_after, decide, evolve
from services.conversations.states import About, Answered, Closed, NoConversation, State, Waiting
from services.record.errors import Refused
from tests.services.conversations.people import ALI, HELP, NOON, interaction, said, told

OF = UUID(int=0xC0)
ABOUT = About(OF, ALI, HELP, "sms/twilio", 3)
WAITING, CALLED = Waiting(ABOUT, NOON, "message"), Waiting(ABOUT, NOON, "call_back")
ANSWERED, CLOSED = Answered(ABOUT, NOON), Closed(ABOUT, NOON)
AT, ONE, AGENT, OTHER = said(5).at, interaction(1), uuid4(), uuid4()
MINE = Waiting(replace(ABOUT, taken_by=AGENT), NOON, "message")
JOIN = "joined open_conversation"


def join(brought: object) -> Join:
    return Join(ONE, "open_conversation", brought, AT)  # type: ignore[arg-type]


TABLE: list[tuple[State, Command, list[str]]] = [
    (WAITING, join("message"), [f"{JOIN} message waiting"]),
    (WAITING, join("missed_call"), [f"{JOIN} missed_call waiting"]),
    (WAITING, join("taken_call"), [f"{JOIN} taken_call waiting"]),
    (WAITING, join("auto_reply"), [f"{JOIN} auto_reply waiting"]),
    (CALLED, join("message"), [f"{JOIN} message waiting"]),
    (CALLED, join("taken_call"), [f"{JOIN} taken_call answered"]),
    (CALLED, join("outgoing"), [f"{JOIN} outgoing waiting"]),
    (ANSWERED, join("message"), [f"{JOIN} message waiting"]),
    (ANSWERED, join("missed_call"), [f"{JOIN} missed_call waiting"]),
    (ANSWERED, join("bounce"), [f"{JOIN} bounce answered"]),
    (ANSWERED, join("flood"), [f"{JOIN} flood answered"]),
    (ANSWERED, join("taken_call"), [f"{JOIN} taken_call answered"]),
    (CLOSED, join("message"), ["reopened waiting", f"{JOIN} message waiting"]),
    (CLOSED, join("missed_call"), ["reopened waiting", f"{JOIN} missed_call waiting"]),
    (CLOSED, join("taken_call"), [f"{JOIN} taken_call closed"]),
    (CLOSED, join("auto_reply"), [f"{JOIN} auto_reply closed"]),
    (CALLED, Correct(ONE, taken=True, at=AT), ["answered answered"]),
    (WAITING, Correct(ONE, taken=True, at=AT), []),
    (WAITING, Correct(ONE, taken=False, at=AT), []),
    (ANSWERED, Correct(ONE, taken=False, at=AT), ["reopened waiting"]),
    (ANSWERED, Correct(ONE, taken=True, at=AT), []),
    (WAITING, Answer(ONE, AT), ["answered answered"]),
    (ANSWERED, Answer(ONE, AT), ["answered answered"]),
    (WAITING, Answer(ONE, AT, AGENT, "waiting"), ["answered answered"]),
    (ANSWERED, Answer(ONE, AT, AGENT, "answered"), ["answered answered"]),
    (MINE, Answer(ONE, AT, AGENT), ["answered answered"]),
    (ANSWERED, Fail(ONE, AT), ["reopened waiting"]),
    (CLOSED, Fail(ONE, AT), ["reopened waiting"]),
    (CALLED, Fail(ONE, AT), ["reopened waiting"]),
    (ANSWERED, Withdraw(AGENT, AT), ["reopened waiting"]),
    (CALLED, Withdraw(AGENT, AT), []),
    (WAITING, Take(AGENT), ["taken waiting"]),
    (CALLED, Take(AGENT), ["taken waiting"]),
    (ANSWERED, Take(AGENT), ["taken answered"]),
    (MINE, Take(AGENT), []),
    (MINE, Take(OTHER, over=True), ["taken waiting"]),
    (MINE, Release(AGENT), ["released waiting"]),
    (WAITING, Release(AGENT), []),
    (MINE, join("message"), [f"{JOIN} message waiting"]),
    (MINE, Close(OTHER, AT), ["closed closed"]),
    (WAITING, Close(AGENT, AT), ["closed closed"]),
    (ANSWERED, Close(None, AT), ["closed closed"]),
    (CLOSED, Close(AGENT, AT), []),
    (CLOSED, Reopen(AGENT, AT), ["reopened answered"]),
    (WAITING, Reopen(AGENT, AT), []),
]


@pytest.mark.parametrize(("state", "command", "then"), TABLE)
def test_the_table(state: State, command: Command, then: list[str]) -> None:
    assert told(decide(state, command)) == then


@pytest.mark.parametrize(
    ("state", "command", "sentence"),
    [
        (CLOSED, Answer(ONE, AT), "closed: open it again"),
        (NoConversation(), Answer(ONE, AT), "no such conversation"),
        (ANSWERED, Answer(ONE, AT, AGENT, "waiting"), "answered while you wrote"),
        (MINE, Answer(ONE, AT, OTHER), "take it over to answer"),
        (MINE, Take(OTHER), "Another agent has taken"),
        (CLOSED, Take(AGENT), "closed: open it again"),
        (MINE, Release(OTHER), "theirs to give back"),
        (NoConversation(), Close(AGENT, AT), "no such conversation"),
        (WAITING, Open(OF, ALI, HELP, "sms/twilio", ONE, "expired", "message", AT), "with this id already"),
    ],
)
def test_what_is_refused_says_why(state: State, command: Command, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        decide(state, command)


def test_it_waits_since_the_first_message_that_was_not_answered() -> None:
    state: State = NoConversation()
    for number, brought in enumerate(("message", "message", "missed_call"), 1):
        at = said(number).at
        opens = Open(OF, ALI, HELP, "sms/twilio", interaction(number), "no_conversation", "message", at)
        command = opens if number == 1 else Join(interaction(number), "open_conversation", brought, at)  # type: ignore[arg-type]
        for fact in decide(state, command):
            state = evolve(state, fact)
    assert state == Waiting(About(OF, ALI, HELP, "sms/twilio", 3), said(1).at, "message")
    (answered,) = decide(state, Answer(ONE, said(9).at))
    (again,) = decide(evolve(state, answered), Join(ONE, "references", "message", said(12).at))
    assert again.since_at == said(12).at


def test_it_waits_since_before_what_failed_and_for_the_same() -> None:
    (reopened,) = decide(CALLED, Fail(ONE, AT))
    assert evolve(CALLED, reopened) == CALLED


def test_who_has_it_keeps_it_until_it_is_closed() -> None:
    state: State = MINE
    for command in (Answer(ONE, AT, AGENT), join("message"), Take(OTHER, over=True)):
        for fact in decide(state, command):
            state = evolve(state, fact)
    assert state == Waiting(replace(ABOUT, interactions=4, taken_by=OTHER), AT, "message")
    (closed,) = decide(state, Close(OTHER, AT))
    assert evolve(state, closed) == Closed(replace(ABOUT, interactions=4), AT)


def test_a_reader_passes_over_what_does_not_fit() -> None:
    (closed,) = decide(WAITING, Close(AGENT, AT))
    assert conversation_after([closed]) == NoConversation()
