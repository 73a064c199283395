from collections.abc import AsyncGenerator, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels.contract import InboundRequest
from projections.generation import reading
from projections.timeline.calls import RANKS
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import Item, interaction
from schemas.event import Event
from schemas.fact import Assurance
from schemas.interaction import Direction
from services.settings import Settings
from tests.channels.voice.requests import AT, CHANNEL, ORIGIN, SID, leg, missed_call, report, taken_call
from tests.projections.calls import begun, events_of, missed, on_leg, recorded
from tests.projections.story import TENANT, erasure, interaction_id, withdrawal
from tests.projections.tables import Tables, tables_of

MANY = hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        yield made


async def shown(tables: Tables, *events: Event, of: UUID | None = None) -> Item | None:
    await tables.fill([[event] for event in events])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        return await interaction(tx, TENANT, of or interaction_id(1))


# A leg's number and its state, in the order of the record; "missed" is a fact of the whole call.
Story = list[tuple[int, str]]
IN: list[tuple[Story, str]] = [
    ([(0, "queued")], "queued"),
    ([(0, "ringing")], "ringing"),
    ([(0, "ringing"), (0, "in_progress")], "in_progress"),
    ([(0, "in_progress"), (0, "ringing")], "in_progress"),
    ([(0, "completed")], "completed"),
    ([(0, "in_progress"), (1, "ringing")], "ringing"),
    ([(0, "ringing"), (1, "in_progress")], "in_progress"),
    ([(0, "in_progress"), (1, "completed"), (2, "in_progress")], "in_progress"),
    ([(0, "in_progress"), (1, "completed")], "completed"),
    ([(1, "completed")], "completed"),
    ([(0, "completed"), (1, "in_progress")], "completed"),
    ([(0, "completed"), (1, "no_answer")], "missed"),
    ([(0, "completed"), (1, "ringing")], "missed"),
    ([(0, "completed"), (1, "no_answer"), (2, "completed")], "completed"),
    ([(0, "in_progress"), (1, "busy"), (2, "ringing")], "ringing"),
    ([(1, "canceled"), (2, "no_answer")], "missed"),
    ([(0, "in_progress"), (0, "missed")], "missed"),
    ([(0, "canceled"), (0, "missed")], "missed"),
    ([(0, "missed"), (0, "in_progress"), (1, "in_progress")], "in_progress"),
    ([(0, "missed"), (0, "completed"), (1, "completed")], "completed"),
]
OUT: list[tuple[Story, str]] = [
    ([(0, "ringing"), (0, "no_answer")], "no_answer"),
    ([(0, "busy")], "busy"),
    ([(0, "completed")], "completed"),
    ([(0, "completed"), (1, "no_answer")], "no_answer"),
    ([(0, "completed"), (1, "completed")], "completed"),
]


@pytest.mark.parametrize("is_begun", [True, False])
@pytest.mark.parametrize(
    ("direction", "told", "state"), [*(("in", *row) for row in IN), *(("out", *row) for row in OUT)]
)
async def test_what_a_call_came_to(tables: Tables, direction: Any, told: Story, state: str, is_begun: bool) -> None:
    events = [
        missed(n, 1) if what == "missed" else on_leg(n, 1, what, leg=number, direction=direction)
        for n, (number, what) in enumerate(told, start=2)
    ]
    if is_begun:
        events.insert(0, begun(1, 1, direction=direction))
    for order in (events, events[::-1]):
        item = await shown(tables, *order)
        assert item is not None
        assert (item.kind, item.direction, item.call_state) == ("call", direction, state)


async def test_legs_and_the_longest_duration(tables: Tables) -> None:
    item = await shown(
        tables,
        begun(1, 1),
        on_leg(2, 1, "completed", leg=1, key=1, seconds=40),
        on_leg(3, 1, "completed", leg=1, key=2),
        on_leg(4, 1, "canceled", leg=2),
        on_leg(5, 1, "completed", seconds=52),
    )
    assert item is not None
    assert (item.call_state, item.call_duration_seconds) == ("completed", 52)
    assert [tuple(one.values())[1:] for one in item.legs] == [
        (True, "completed", 52),
        (False, "completed", 40),
        (False, "canceled", None),
    ]


async def test_a_call_whose_beginning_was_lost_is_shown_by_its_own_leg(tables: Tables) -> None:
    item = await shown(tables, on_leg(1, 1, "ringing", leg=1, address=2), on_leg(2, 1, "completed", seconds=9))
    assert item is not None
    assert (item.revision, item.position, item.address) == (0, 2, "tel:+989120000001")
    later = await shown(tables, on_leg(2, 1, "completed", seconds=9), begun(3, 1))
    assert later is not None
    assert (later.revision, later.call_duration_seconds) == (1, 9)


async def test_a_recording_is_attached_and_alone_makes_no_call(tables: Tables) -> None:
    assert await shown(tables, recorded(1, 1)) is None
    item = await shown(tables, recorded(1, 1, url=None), begun(2, 1), recorded(3, 1), on_leg(4, 1, "completed"))
    assert item is not None
    assert [(one["media_type"], one["bytes"]) for one in item.attachments()] == [("audio/wav", 0)]
    assert "https://x.example/RE" in (item.names_json or "")


async def test_erasing_keeps_the_call_and_no_link(tables: Tables) -> None:
    of_call = (begun(1, 1), on_leg(2, 1, "completed", seconds=9), recorded(3, 1))
    for events in ((*of_call, erasure(4, 1)), (erasure(4, 1), *of_call), (*of_call[:2], erasure(4, 1), of_call[2])):
        item = await shown(tables, *events)
        assert item is not None
        assert (item.address, item.names_json, item.call_state) == (None, None, "completed")
        async with tables.connection.cursor() as cursor:
            await cursor.execute("SELECT string_agg(row_to_json(c)::text, '') FROM timeline_g1.call_facts AS c")
            (everything,) = await cursor.fetchall()
        assert "x.example" not in everything[0]
        assert "98912" not in everything[0]


async def test_a_mended_leg_leaves_the_call_that_it_was_taken_for(tables: Tables) -> None:
    taken, mended = on_leg(1, 1, "busy", key=1), on_leg(2, 2, "busy", key=1, revision=2)
    assert await shown(tables, taken, mended) is None
    assert await shown(tables, taken, mended, of=interaction_id(2)) is not None
    assert await shown(tables, taken, withdrawal(3, taken)) is None


# Which of them comes first decides what is its first event, and so where it stands in the record.
PLACE = {"position", "recorded_at"}


def _row(item: Item | None) -> dict[str, Any]:
    assert item is not None
    return {field.name: getattr(item, field.name) for field in fields(item) if field.name not in PLACE}


CALLS: dict[str, list[InboundRequest]] = {
    "taken": taken_call(),
    "missed": missed_call(),
    "only reports": [report("ringing", 0, 0), *taken_call()[1:]],
    "only of the other leg": [leg("ringing", 1, 2), leg("in-progress", 2, 8), leg("completed", 3, 60)],
}


@pytest.mark.parametrize(
    ("name", "state", "seconds", "assurance"),
    [
        ("taken", "completed", 53, "verified"),
        ("missed", "missed", None, "verified"),
        ("only reports", "completed", 53, "claimed"),
        ("only of the other leg", "completed", None, "claimed"),
    ],
)
async def test_a_call_as_twilio_tells_it(
    tables: Tables, name: str, state: str, seconds: int | None, assurance: str
) -> None:
    item = await shown(tables, *events_of(CHANNEL, CALLS[name]), of=ORIGIN.derive(SID, "interaction"))
    assert item is not None
    assert (item.call_state, item.call_duration_seconds, item.assurance) == (state, seconds, assurance)
    assert item.address == "tel:+989121234567"
    assert AT <= item.occurred_at <= AT + timedelta(seconds=2)


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
@MANY
async def test_callbacks_in_any_order_and_repeated_come_to_the_same_row(
    tables: Tables, name: str, data: st.DataObject
) -> None:
    requests = CALLS[name]
    again = data.draw(st.lists(st.sampled_from(requests), max_size=4))
    mixed = data.draw(st.permutations([*requests, *again]))
    call = ORIGIN.derive(SID, "interaction")
    straight = await shown(tables, *events_of(CHANNEL, requests), of=call)
    assert _row(await shown(tables, *events_of(CHANNEL, mixed), of=call)) == _row(straight)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Every (event, revision) once, at positions in the order of the list."""
    made: dict[tuple[int, int], Event] = {}
    for position in range(1, draw(st.integers(4, 16)) + 1):
        number, address, revision = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
        kind = draw(st.sampled_from(["begun", "leg", "leg", "leg", "missed", "recorded", "withdrawal", "erasure"]))
        match kind:
            case "begun":
                direction: Direction = draw(st.sampled_from(get_args(Direction)))
                new = begun(position, number, address=address, revision=revision, direction=direction)
            case "leg":
                new = on_leg(
                    *(position, number, draw(st.sampled_from(list(RANKS)))),
                    leg=draw(st.integers(0, 2)),
                    key=draw(st.integers(1, 5)),
                    seconds=draw(st.none() | st.integers(0, 9)),
                    assurance=draw(st.sampled_from(get_args(Assurance))),
                    address=address,
                    revision=revision,
                )
            case "missed":
                new = missed(position, number)
            case "recorded":
                new = recorded(position, number, address=address)
            case "withdrawal" if made:
                new = withdrawal(position, draw(st.sampled_from(list(made.values()))))
            case _:
                new = erasure(position, address)
        made.setdefault((new.event_id.int, new.revision), new)
    return list(made.values())


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[Sequence[Event]]]:
    events = draw(histories())
    mixed = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=5))]))
    size = draw(st.integers(1, 6))
    return events, [mixed[at : at + size] for at in range(0, len(mixed), size)]


@given(deliveries())
@hypothesis_settings(MANY, max_examples=50)
async def test_any_order_and_any_repetition_fold_to_the_same_rows(
    tables: Tables, delivered: tuple[list[Event], list[Sequence[Event]]]
) -> None:
    events, batches = delivered
    assert await tables.fill(batches) == await tables.fill([events])
