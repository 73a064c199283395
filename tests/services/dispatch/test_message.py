"""What becomes of a message, as values: given facts, when told, then facts."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.interaction import DeliveryState
from schemas.outbound import (
    MessageAsked,
    MessageFailed,
    MessageHandedOff,
    MessageInDoubt,
    MessageJudged,
    MessageRefused,
    MessageResolved,
    MessageStarted,
    MessageWithdrawn,
    OutboundFact,
)
from services.dispatch.commands import Command, Doubt, FallBack, GiveUp, Refuse, Report, Start, Took
from services.dispatch.folding import evolve, message_after, resumed
from services.dispatch.message import decide
from services.dispatch.states import (
    Delivered,
    Due,
    Failed,
    HandedOff,
    InDoubt,
    NoMessage,
    Read,
    Started,
    State,
    Unreachable,
    Withdrawn,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ONE, INBOX, OTHER, NAME = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
ID: Any = {"message_id": ONE}
ASKED = MessageAsked(address_id=UUID(int=5), conversation_id=UUID(int=6), **ID)
RESOLVED = MessageResolved(channel="sms/twilio", inbox_id=INBOX, code="question", **ID)
STARTED = MessageStarted(attempt=1, channel="sms/twilio", inbox_id=INBOX, **ID)
TAKEN = MessageHandedOff(attempt=1, provider_id="SM1", receipts_as=NAME, **ID)
DOUBT = MessageInDoubt(attempt=1, why="?", **ID)
SECOND = MessageResolved(round=2, channel="email/smtp", inbox_id=OTHER, code="no_delivery", **ID)


def after(*facts: OutboundFact) -> State:
    return message_after((fact, NOON) for fact in (ASKED, *facts))


def told(state: State, *commands: Command) -> tuple[list[str], State]:
    """The words of what follows, and the state then."""
    words: list[str] = []
    for command in commands:
        for fact in decide(state, command):
            words.append(fact.type.partition(".")[2])
            state = evolve(state, fact, NOON)
    return words, state


def refused(tries: int = 1, **more: Any) -> Refuse:
    return Refuse(tries, "away", "The provider is away.", NOON, **more)


@pytest.mark.parametrize(
    ("undo", "hold", "due"),
    [(None, None, 0), (10, None, 10), (None, 3600, 3600), (10, 3600, 3600), (10, 5, 10), (-5, -5, 0)],
)
def test_it_is_due_when_all_that_holds_it_is_over(undo: int | None, hold: int | None, due: int) -> None:
    times = [None if one is None else NOON + timedelta(seconds=one) for one in (undo, hold)]
    asked, resolved = (
        ASKED.model_copy(update={"undo_until": times[0]}),
        RESOLVED.model_copy(update={"hold_until": times[1]}),
    )
    state = message_after([(asked, NOON), (resolved, NOON)])
    assert isinstance(state, Due)
    assert state.due_at == NOON + timedelta(seconds=due)


def test_no_way_is_the_end() -> None:
    assert isinstance(after(MessageResolved(**ID)), Unreachable)
    assert told(after(MessageResolved(**ID)), Start()) == ([], after(MessageResolved(**ID)))


def test_the_usual_course() -> None:
    words, state = told(after(RESOLVED), Start(), Took(1, "SM1", NAME), Report(1, "sent"), Report(1, "delivered"))
    assert words == ["started", "handed_off", "reported", "reported"]
    assert isinstance(state, Delivered)
    assert isinstance(told(state, Report(1, "read"))[1], Read)


@pytest.mark.parametrize(
    "state", [after(RESOLVED, STARTED), after(RESOLVED, STARTED, DOUBT), after(RESOLVED, STARTED, TAKEN)]
)
def test_only_what_is_due_is_started(state: State) -> None:
    assert told(state, Start(), GiveUp("cannot_send", "The inbox is closed.")) == ([], state)


def test_an_end_of_another_attempt_changes_nothing() -> None:
    state = after(RESOLVED, STARTED)
    assert told(state, Took(2, "SM2", NAME), Doubt(2, "?"), refused(2)) == ([], state)


def test_it_is_tried_eight_times() -> None:
    state, words, waits = after(RESOLVED), list[str](), list[float]()
    for attempt in range(1, 9):
        some, state = told(state, Start(), refused(attempt, chance=0.0))
        words += some
        waits += [(state.due_at - NOON).total_seconds()] if isinstance(state, Due) else []
    assert words == ["started", "refused"] * 8 + ["failed"]
    assert waits == [10, 30, 90, 270, 810, 2430, 7290]
    assert isinstance(state, Failed)


def test_it_is_not_tried_for_more_than_a_day() -> None:
    words, _ = told(after(RESOLVED, STARTED), refused(after_seconds=23 * 3600.0))
    assert words == ["refused"]
    words, _ = told(after(RESOLVED, STARTED), refused(after_seconds=25 * 3600.0))
    assert words == ["refused", "failed"]


def test_chance_spreads_the_next_tries() -> None:
    found = [decide(after(RESOLVED, STARTED), refused(chance=chance))[0] for chance in (0.0, 0.5, 0.99)]
    times = [(one.retry_at - NOON).total_seconds() for one in found if isinstance(one, MessageRefused) and one.retry_at]
    assert times == [10.0, 12.5, 14.95]


def test_refused_for_good_is_over_with_its_sentence() -> None:
    facts = decide(after(RESOLVED, STARTED), refused(lasting=True))
    assert isinstance(facts[-1], MessageFailed)
    assert facts[-1].why == "The provider is away."


@pytest.mark.parametrize(("judged", "state"), [("arrived", Delivered), ("not_sent", Due)])
def test_a_person_settles_a_doubt(judged: Any, state: type[State]) -> None:
    doubtful = after(RESOLVED, STARTED, DOUBT)
    assert isinstance(doubtful, InDoubt)
    assert isinstance(after(RESOLVED, STARTED, DOUBT, MessageJudged(judged=judged, **ID)), state)


def test_what_a_person_held_to_be_unsent_gets_all_its_tries() -> None:
    state = after(RESOLVED, STARTED, DOUBT, MessageJudged(judged="not_sent", **ID))
    words, state = told(state, Start(), refused(2))
    assert words == ["started", "refused"]
    assert isinstance(state, Due)
    assert state.course.tries == 1


def test_an_answer_that_comes_after_the_doubt_is_believed() -> None:
    words, state = told(after(RESOLVED, STARTED, DOUBT), Took(1, "SM1", NAME))
    assert (words, type(state)) == (["handed_off"], HandedOff)
    words, state = told(after(RESOLVED, STARTED, DOUBT), refused())
    assert (words, type(state)) == (["refused"], Due)


def test_what_was_taken_back_is_never_started() -> None:
    state = after(RESOLVED, MessageWithdrawn(**ID))
    assert isinstance(state, Withdrawn)
    assert told(state, Start())[0] == []


def test_one_other_way_once() -> None:
    words, state = told(after(RESOLVED, STARTED, TAKEN), FallBack(SECOND), FallBack(SECOND))
    assert words == ["resolved"]
    assert isinstance(state, Due)
    assert (state.course.way.channel, state.course.way.round, state.course.attempt) == ("email/smtp", 2, 1)
    words, state = told(state, Start(), Took(2, "<m@x>", UUID(int=9)), FallBack(SECOND))
    assert words == ["started", "handed_off"]


def test_a_late_delivery_of_the_first_way_stops_the_second() -> None:
    _, state = told(after(RESOLVED, STARTED, TAKEN), FallBack(SECOND))
    words, state = told(state, Report(1, "delivered"), Start())
    assert (words, type(state)) == (["reported"], Delivered)


def test_a_late_failure_of_the_first_way_is_nothing_to_the_second() -> None:
    _, state = told(after(RESOLVED, STARTED, TAKEN), FallBack(SECOND), Start(), Took(2, "<m@x>", UUID(int=9)))
    assert told(state, Report(1, "failed"), Report(1, "sent")) == ([], state)


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "failed", "delivered", "read"])))
def test_receipts_come_to_the_same_whatever_their_order(order: tuple[DeliveryState, ...]) -> None:
    _, state = told(after(RESOLVED, STARTED, TAKEN), *[Report(1, one) for one in order])
    assert isinstance(state, Read)


RANKS = {"queued": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}


@given(st.lists(st.sampled_from(list(RANKS)), min_size=1, max_size=12))
def test_the_highest_receipt_holds_and_only_news_is_told(reports: list[DeliveryState]) -> None:
    words, state = told(after(RESOLVED, STARTED, TAKEN), *[Report(1, one) for one in reports])
    highest = max(reports, key=RANKS.__getitem__)
    expected = {"failed": Failed, "delivered": Delivered, "read": Read}.get(highest, HandedOff)
    assert isinstance(state, expected)
    assert words.count("reported") <= len(set(reports))
    assert words.count("failed") <= 1


def test_a_failure_that_is_reported_is_a_failure() -> None:
    words, state = told(after(RESOLVED, STARTED, TAKEN), Report(1, "failed", "30006"))
    assert (words, type(state)) == (["reported", "failed"], Failed)
    assert isinstance(told(state, Report(1, "delivered"))[1], Delivered)


def test_what_a_provider_knows_again_begins_again() -> None:
    state = after(RESOLVED, STARTED)
    assert isinstance(state, Started)
    words, state = told(resumed(state, NOON), Start())
    assert words == ["started"]
    assert isinstance(state, Started)
    assert state.course.attempt == 2


COMMANDS = st.one_of(
    st.just(Start()),
    st.builds(Took, st.integers(1, 3), st.just("SM"), st.just(NAME)),
    st.builds(refused, st.integers(1, 3), lasting=st.booleans()),
    st.builds(Doubt, st.integers(1, 3), st.just("?")),
    st.builds(Report, st.integers(1, 3), st.sampled_from(list(RANKS))),  # type: ignore[arg-type]
    st.just(FallBack(SECOND)),
    st.just(GiveUp("cannot_send", "closed")),
)


@given(st.lists(COMMANDS, max_size=25))
def test_whatever_is_told_folded_facts_are_the_state_and_no_attempt_begins_in_doubt(commands: list[Command]) -> None:
    facts: list[OutboundFact] = [ASKED, RESOLVED]
    state = message_after((fact, NOON) for fact in facts)
    for command in commands:
        before = state
        for fact in decide(state, command):
            if isinstance(fact, MessageStarted):
                assert isinstance(before, Due)
                assert fact.attempt == before.course.attempt + 1
            facts.append(fact)
            state = evolve(state, fact, NOON)
        if isinstance(before, Delivered):
            assert isinstance(state, (Delivered, Read))
    assert message_after((fact, NOON) for fact in facts) == state
    assert not isinstance(state, NoMessage)
