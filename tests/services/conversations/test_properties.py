"""Whatever comes, in whatever order and batches."""

from datetime import datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conversation import ConversationJoined, ConversationOpened
from services.conversations.batch import conversation_id_of
from services.conversations.states import NoConversation, name_of
from services.conversations.touches import Touch
from tests.services.conversations.people import ALI, NOON, SARA, House, call, mailed, said

WHO = st.sampled_from([ALI, SARA])
NAMES = st.sampled_from([f"m{n}" for n in range(5)])
AUTOMATIC = st.sampled_from(["human", "human", "auto_reply", "bounce", "bulk"])


@st.composite
def touches(draw: st.DrawFn) -> list[Touch]:
    made: list[Touch] = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        kind = draw(st.sampled_from(["sms", "mail", "call"]))
        if kind == "sms":
            made.append(said(number, who=draw(WHO)))
        elif kind == "mail":
            above = draw(st.lists(NAMES, max_size=2))
            made.append(mailed(number, draw(NAMES), *above, who=draw(WHO), automatic=draw(AUTOMATIC)))
        else:
            what = draw(st.sampled_from(["begun", "missed", "ringing", "in_progress", "completed", "no_answer"]))
            of, leg = draw(st.integers(1, 3)) + 50, draw(st.integers(0, 1))
            made.append(call(of, what, key=number, leg=leg, who=draw(WHO)))
    return made


@given(touches(), st.data())
def test_batches_do_not_matter(made: list[Touch], data: st.DataObject) -> None:
    whole, pieces = House(), House()
    whole.hear(*made)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(made)), max_size=4)))
    for start, end in pairwise([0, *cuts, len(made)]):
        pieces.hear(*made[start:end])
    assert whole.facts == pieces.facts
    assert whole.known.conversations == pieces.known.conversations
    assert (whole.known.mails, whole.known.calls, whole.known.senders) == (
        pieces.known.mails,
        pieces.known.calls,
        pieces.known.senders,
    )


@given(touches())
def test_each_belongs_to_one_and_each_that_a_person_wrote_to_some(made: list[Touch]) -> None:
    house = House()
    house.hear(*made)
    joined = [fact.interaction_id for fact in house.facts if isinstance(fact, (ConversationOpened, ConversationJoined))]
    assert len(joined) == len(set(joined))
    written = {
        touch.fact.interaction_id
        for touch in made
        if not touch.is_call and getattr(touch.fact, "automatic", "") in {"human", "bulk"}
    }
    assert written <= set(joined)


@given(touches())
def test_what_is_remembered_is_what_the_facts_say(made: list[Touch]) -> None:
    house = House()
    house.hear(*made)
    for conversation_id, held in house.known.conversations.items():
        facts = [fact for fact in house.facts if fact.conversation_id == conversation_id]
        state = house.state(conversation_id)
        assert held.state == state
        assert held.version == len(facts)
        assert not isinstance(state, NoConversation)
        assert name_of(state) == facts[-1].state


@given(touches())
def test_machines_alone_open_nothing_and_make_nobody_wait(made: list[Touch]) -> None:
    house = House()
    automatic = [mailed(n, f"m{n}", automatic=kind) for n, kind in enumerate(["auto_reply", "bounce"] * 3)]  # type: ignore[arg-type]
    assert house.hear(*automatic) == []
    house.hear(*made)
    before = {one: held.state for one, held in house.known.conversations.items()}
    house.hear(*[mailed(100 + n, f"x{n}", f"m{n}", automatic="auto_reply") for n in range(5)])
    for one, state in before.items():
        after = house.known.conversations[one].state
        assert (name_of(after), after.since_at) == (name_of(state), state.since_at)


@given(st.permutations([1, 2, 3, 4]))
@settings(max_examples=24)
def test_a_thread_of_one_person_is_one_conversation_in_any_order_of_arrival(order: list[int]) -> None:
    thread = {n: mailed(n, f"t{n}", *[f"t{above}" for above in range(1, n)]) for n in range(1, 5)}
    house = House()
    house.hear(*[thread[number] for number in order])
    assert house.together() == {frozenset({1, 2, 3, 4})}


@given(st.uuids(), st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware
def test_an_id_is_derived_and_grows_with_time(interaction_id: UUID, naive: datetime) -> None:
    at = naive.replace(tzinfo=NOON.tzinfo)
    made = conversation_id_of(interaction_id, at)
    assert made == conversation_id_of(interaction_id, at)
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    assert (made.int >> 80) == int(at.timestamp() * 1000) or abs((made.int >> 80) - at.timestamp() * 1000) < 1
