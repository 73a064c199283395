"""Calls: what their reports come to, in any order, and who is called back."""

import random
from dataclasses import replace

import pytest

from projections.timeline.calls import CallFact
from schemas.interaction import InteractionReceived
from services.conversations.call import CallSoFar, outcome_of, with_report
from services.conversations.touches import Touch
from tests.channels.voice.requests import CHANNEL, missed_call, taken_call
from tests.projections.calls import events_of
from tests.services.conversations.people import HELP, SARA, House, call, said, told

MISSED = ["opened no_conversation missed_call waiting"]
TAKEN = ["opened no_conversation taken_call answered"]

TABLE: dict[str, tuple[list[Touch], list[str]]] = {
    "one that rings is nobody's yet": ([call(1, "begun", key=1), call(1, "ringing", key=2)], []),
    "one that was let in is nobody's yet": ([call(1, "begun", key=1), call(1, "in_progress", key=2)], []),
    "one whose line answers is taken": (
        [call(1, "begun", key=1), call(1, "in_progress", key=2), call(1, "in_progress", key=3, leg=1)],
        TAKEN,
    ),
    "one whose line rings out was missed": (
        [call(1, "begun", key=1), call(1, "in_progress", key=2), call(1, "no_answer", key=3, leg=1)],
        MISSED,
    ),
    "one whose second line answers was taken after all": (
        [
            call(1, "begun", key=1),
            call(1, "no_answer", key=2, leg=1),
            call(1, "in_progress", key=3, leg=2),
            call(1, "completed", key=4),
        ],
        [*MISSED, "answered answered"],
    ),
    "one that is told to be missed": ([call(1, "begun", key=1), call(1, "missed", key=2)], MISSED),
    "that is told before it began": ([call(1, "missed", key=1), call(1, "begun", key=2)], MISSED),
    "the caller gave up": ([call(1, "begun", key=1), call(1, "canceled", key=2)], MISSED),
    "a system took it": ([call(1, "begun", key=1), call(1, "completed", key=2)], TAKEN),
    "until a line is heard of that rang out": (
        [call(1, "begun", key=1), call(1, "completed", key=2), call(1, "busy", key=3, leg=1)],
        [*TAKEN, "reopened waiting"],
    ),
    "ours that nobody takes is nothing": (
        [call(1, "begun", key=1, direction="out"), call(1, "no_answer", key=2, direction="out")],
        [],
    ),
    "ours that the customer takes": (
        [call(1, "begun", key=1, direction="out"), call(1, "in_progress", key=2, direction="out")],
        TAKEN,
    ),
    "ours settles the missed one": (
        [
            call(1, "begun", key=1),
            call(1, "missed", key=2),
            call(2, "begun", key=3, direction="out"),
            call(2, "in_progress", key=4, direction="out"),
        ],
        [*MISSED, "joined open_conversation taken_call answered"],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_table(name: str) -> None:
    given, then = TABLE[name]
    house = House()
    assert told([fact for touch in given for fact in house.hear(touch)]) == then


def test_a_missed_call_and_a_message_are_one_conversation_that_waits_for_a_message() -> None:
    house = House()
    house.hear(call(1, "begun", key=1), call(1, "missed", key=2))
    assert told(house.hear(said(2))) == ["joined open_conversation message waiting"]
    assert house.facts[-1].waits_for == "message"  # type: ignore[union-attr]
    assert told(house.hear(call(3, "begun", key=3), call(3, "in_progress", key=4, leg=1))) == [
        "joined open_conversation taken_call waiting"
    ]


def test_whose_call_it_is_says_its_beginning() -> None:
    house = House()
    house.hear(replace(call(1, "no_answer", key=1, leg=1), address_id=SARA), call(1, "begun", key=2))
    house.hear(call(1, "completed", key=3))
    assert {fact.conversation_id for fact in house.facts} == set(house.known.conversations)
    assert outcome_of(house.known.calls[call(1, "begun", key=9).fact.interaction_id].so_far) == "missed"


@pytest.mark.parametrize(("requests", "outcome"), [(missed_call(), "missed"), (taken_call(), "taken")])
def test_as_twilio_tells_it_in_any_order(requests: list[object], outcome: str) -> None:
    events = events_of(CHANNEL, requests)  # type: ignore[arg-type]
    reports = [one for one in events if isinstance(one.fact, (InteractionReceived, *CallFact.__args__))]  # type: ignore[attr-defined]
    for seed in range(100):
        order = random.Random(seed).sample(reports, len(reports))  # noqa: S311 - an order, not a secret
        so_far: CallSoFar | None = None
        for one in order:
            so_far = with_report(so_far, one.fact, one.subject, HELP)  # type: ignore[arg-type]
        assert so_far is not None
        assert outcome_of(so_far) == outcome
