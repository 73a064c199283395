"""Which conversation: given what came before, when this comes, then these decisions."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from services.conversations.belonging import Rules
from services.conversations.commands import Close
from services.conversations.conversation import decide
from services.conversations.known import Held
from services.conversations.touches import Erased, Item
from tests.services.conversations.people import ALI, HELP, SALES, SARA, House, mailed, said, told

DAY = timedelta(days=1)
Case = tuple[list[Item], Item, list[str]]

TABLE: dict[str, Case] = {
    "the first message opens": ([], said(1), ["opened no_conversation message waiting"]),
    "the next one joins": ([said(1)], said(2), ["joined open_conversation message waiting"]),
    "another sender opens their own": ([said(1)], said(2, who=SARA), ["opened no_conversation message waiting"]),
    "another inbox is another conversation": (
        [said(1)],
        said(2, inbox=SALES),
        ["opened no_conversation message waiting"],
    ),
    "another tenant's is none": ([said(1)], said(2, tenant="rival"), ["opened no_conversation message waiting"]),
    "a form opens": ([], said(1, channel="forms/web", kind="form"), ["opened no_conversation message waiting"]),
    "a visit is nothing": ([], said(1, kind="visit"), []),
    "what we send opens nothing": ([], said(1, direction="out"), []),
    "what we send joins": ([said(1)], said(2, direction="out"), ["joined open_conversation outgoing waiting"]),
    "a mail that refers to one of another sender joins that": (
        [mailed(1, "one"), mailed(2, "two", who=SARA)],
        mailed(3, "three", "one", who=SARA),
        ["joined references message waiting"],
    ),
    "the answered mail is stronger than older ones": (
        [mailed(1, "one"), mailed(2, "two", who=SARA)],
        mailed(3, "three", "two", "one"),
        ["joined references message waiting"],
    ),
    "a mail that was spoken of before it came joins": (
        [mailed(2, "two", "one"), mailed(3, "x", inbox=SALES)],
        mailed(1, "one"),
        ["joined references message waiting"],
    ),
    "but not that of another sender": (
        [mailed(2, "two", "one", who=SARA)],
        mailed(1, "one"),
        ["opened no_conversation message waiting"],
    ),
    "an auto-reply opens nothing": ([], mailed(1, "one", automatic="auto_reply"), []),
    "a bounce opens nothing": ([], mailed(1, "one", automatic="bounce"), []),
    "an auto-reply joins, and nobody waits for more": (
        [said(1)],
        mailed(2, "two", automatic="auto_reply"),
        ["joined open_conversation auto_reply waiting"],
    ),
    "a bounce joins what it refers to": (
        [mailed(1, "one")],
        mailed(2, None, "one", automatic="bounce", who=SARA),
        ["joined references bounce waiting"],
    ),
    "a mailing list is read by a person": (
        [],
        mailed(1, "one", automatic="bulk"),
        ["opened no_conversation message waiting"],
    ),
    "an erased sender begins anew": (
        [mailed(1, "one"), Erased(2, ALI)],
        mailed(3, "three", "one"),
        ["opened no_conversation message waiting"],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_table(name: str) -> None:
    given, when, then = TABLE[name]
    house = House()
    house.hear(*given)
    assert told(house.hear(when)) == then


@pytest.mark.parametrize("name", TABLE)
def test_in_one_batch_or_one_by_one_is_the_same(name: str) -> None:
    given, when, _ = TABLE[name]
    at_once, single = House(), House()
    at_once.hear(*given, when)
    for item in (*given, when):
        single.hear(item)
    assert at_once.facts == single.facts


@pytest.mark.parametrize("ground", ["reply_key", "message_id"])
def test_a_signed_key_is_the_strongest_ground(ground: object) -> None:
    house = House()
    (first,) = house.hear(mailed(1, "one"))
    house.hear(mailed(2, "two", who=SARA))
    keys = [(ground, first.conversation_id)]
    assert told(house.hear(mailed(3, "three", "two", keys=keys, who=SARA))) == [f"joined {ground} message waiting"]  # type: ignore[arg-type]
    assert house.together() == {frozenset({1, 3}), frozenset({2})}


def test_a_key_of_another_tenants_conversation_is_none() -> None:
    house = House()
    (first,) = house.hear(mailed(1, "one", tenant="rival"))
    assert told(house.hear(mailed(2, "two", keys=[("reply_key", first.conversation_id)]))) == [
        "opened no_conversation message waiting"
    ]


def closed(house: House, conversation_id: UUID, minutes: int) -> None:
    held = house.known.conversations[conversation_id]
    at = said(minutes).at
    for fact in decide(held.state, Close(None, at)):
        house.facts.append(fact)
        state: object = house.state(conversation_id)
        house.known.put_conversation(conversation_id, Held(held.tenant, held.version + 1, state))  # type: ignore[arg-type]


LATER: dict[str, tuple[timedelta, Callable[[timedelta], Item], list[str]]] = {
    "soon after the end it goes on": (
        13 * DAY,
        lambda after: said(2, after=after),
        ["reopened waiting", "joined open_conversation message waiting"],
    ),
    "long after it is a new one": (15 * DAY, lambda after: said(2, after=after), ["opened expired message waiting"]),
    "long after, also with a reference": (
        15 * DAY,
        lambda after: mailed(2, "two", "one", after=after),
        ["opened expired message waiting"],
    ),
    "a machine does not reopen it": (DAY, lambda after: mailed(2, "two", automatic="auto_reply", after=after), []),
    "a machine's reference is kept with it": (
        DAY,
        lambda after: mailed(2, "two", "one", automatic="auto_reply", after=after),
        ["joined references auto_reply closed"],
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_after_it_was_closed(name: str) -> None:
    after, when, then = LATER[name]
    house = House()
    (first,) = house.hear(mailed(1, "one"))
    closed(house, first.conversation_id, 2)
    assert told(house.hear(when(after))) == then


def test_the_time_to_reopen_is_a_setting() -> None:
    house = House(Rules(reopen_within=timedelta(0)))
    (first,) = house.hear(said(1))
    closed(house, first.conversation_id, 2)
    assert told(house.hear(said(3))) == ["opened expired message waiting"]


def test_a_revision_is_no_second_decision_and_one_that_is_new_is_the_first() -> None:
    house = House()
    first, mended = said(1), said(1, revision=2)
    house.hear(first)
    house.known.decided_before.add(mended.event_id)
    assert house.hear(mended) == []
    assert told(house.hear(said(2, revision=2))) == ["joined open_conversation message waiting"]


def test_a_loop_of_mails_is_cut_and_forgiven() -> None:
    house = House(Rules(mails_per_hour=10))
    second = timedelta(seconds=1)
    brought = [
        told(house.hear(mailed(n, f"m{n}", after=n * second - timedelta(minutes=n))))[0].split()[2] for n in range(30)
    ]
    assert brought == ["message"] * 10 + ["flood"] * 20
    assert told(house.hear(mailed(60 * 4, "late"))) == ["joined open_conversation message waiting"]


def test_people_in_a_chat_are_no_flood() -> None:
    house = House(Rules(mails_per_hour=10))
    for number in range(40):
        assert "flood" not in told(house.hear(said(number, channel="chat/widget", inbox=HELP)))[0]
