from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from projections.generation import reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import Item, interaction, timeline
from schemas.event import Event
from schemas.interaction import DeliveryState
from services.settings import Settings
from tests.projections.story import (
    NOON,
    TENANT,
    address_id,
    erasure,
    interaction_id,
    message,
    receipt,
    withdrawal,
)
from tests.projections.tables import Tables, tables_of


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        yield made


async def shown(tables: Tables, *events: Event, number: int = 1) -> Item | None:
    await tables.fill([[event] for event in events])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        return await interaction(tx, TENANT, interaction_id(number))


STATES: list[tuple[list[DeliveryState], DeliveryState]] = [
    (["queued"], "queued"),
    (["sent", "queued"], "sent"),
    (["delivered", "sent"], "delivered"),
    (["read", "delivered"], "read"),
    (["sent", "failed"], "failed"),
    (["failed", "sent"], "failed"),
    (["failed", "delivered"], "delivered"),
    (["read", "failed"], "read"),
]


@pytest.mark.parametrize(("reported", "state"), STATES)
async def test_receipts_are_a_lattice(tables: Tables, reported: list[DeliveryState], state: DeliveryState) -> None:
    receipts = [receipt(2 + n, 1, one, key=n) for n, one in enumerate(reported)]
    item = await shown(tables, message(1, 1), *receipts)
    assert item is not None
    at = next(one.occurred_at for one, name in zip(receipts, reported, strict=True) if name == state)
    assert item.delivery == (state, at)


async def test_a_receipt_for_a_message_that_we_never_saw_makes_an_outbound_row(tables: Tables) -> None:
    item = await shown(tables, receipt(1, 1, "sent", key=1), receipt(2, 1, "delivered", key=2))
    assert item is not None
    assert (item.direction, item.text, item.position, item.revision) == ("out", None, 1, 0)
    assert item.delivery is not None
    assert item.delivery[0] == "delivered"


async def test_an_early_receipt_is_folded_when_its_message_comes(tables: Tables) -> None:
    item = await shown(tables, receipt(1, 1, "read", key=1), message(2, 1))
    assert item is not None
    assert (item.direction, item.text, item.position) == ("in", "سلام r1", 2)
    assert item.delivery is not None
    assert item.delivery[0] == "read"


async def test_a_higher_revision_replaces_and_a_lower_one_does_not_return(tables: Tables) -> None:
    item = await shown(tables, message(2, 1, revision=2), message(1, 1))
    assert item is not None
    assert (item.text, item.revision, item.position) == ("سلام r2", 2, 2)


async def test_withdrawn_is_gone_until_a_higher_revision(tables: Tables) -> None:
    first = message(1, 1)
    assert await shown(tables, first, withdrawal(2, first)) is None
    assert await shown(tables, withdrawal(2, first), first) is None
    item = await shown(tables, first, withdrawal(2, first), message(3, 1, revision=2))
    assert item is not None
    assert item.text == "سلام r2"


async def test_withdrawing_the_only_receipt_takes_its_row_away(tables: Tables) -> None:
    only = receipt(1, 1, "failed", key=1)
    assert await shown(tables, only, withdrawal(2, only)) is None
    item = await shown(tables, message(3, 1), only, withdrawal(4, only))
    assert item is not None
    assert item.delivery is None


async def test_a_mended_receipt_leaves_the_interaction_that_it_was_taken_for(tables: Tables) -> None:
    taken, mended = receipt(1, 1, "failed", key=1), receipt(2, 2, "failed", key=1, revision=2)
    assert await shown(tables, taken, mended, number=1) is None
    assert await shown(tables, taken, mended, number=2) is not None


async def test_erasing_keeps_the_row_and_nothing_personal(tables: Tables) -> None:
    item = await shown(tables, message(1, 1), erasure(2, 1), receipt(3, 1, "sent", key=1))
    assert item is not None
    assert (item.address, item.subject, item.text, item.full_text) == (None, None, None, None)
    assert item.attachments() == [
        {
            "attachment_id": "00000000-0000-0000-0000-00000000f001",
            "name": None,
            "media_type": "application/pdf",
            "bytes": 10,
        }
    ]
    async with tables.connection.cursor() as cursor:
        await cursor.execute(
            "SELECT row_to_json(i)::text || row_to_json(r)::text "
            "FROM timeline_g1.interactions AS i, timeline_g1.receipts AS r"
        )
        (everything,) = await cursor.fetchall()
    assert "سلام" not in everything[0]
    assert "example.com" not in everything[0]


async def test_a_date_in_the_future_pins_nothing(tables: Tables) -> None:
    await tables.fill([[message(1, 1, occurred_at=NOON + timedelta(days=26_000)), message(1000, 2)]])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        items = await timeline(tx, TENANT, address_id(1), limit=10)
    assert [item.interaction_id for item in items] == [interaction_id(2), interaction_id(1)]
    assert items[1].effective_at == NOON + timedelta(seconds=1, minutes=5)


async def test_text_that_postgresql_cannot_hold_is_shown_without_it(tables: Tables) -> None:
    item = await shown(tables, message(1, 1, text="a\0b"))
    assert item is not None
    assert item.text == "a\ufffdb r1"


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Every (event, revision) once, at positions in the order of the list."""
    made: dict[tuple[int, int], Event] = {}
    for position in range(1, draw(st.integers(4, 16)) + 1):
        number, address = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        kind = draw(st.sampled_from(["message", "receipt", "withdrawal", "erasure"]))
        revision = draw(st.integers(1, 2))
        if kind == "message":
            new = message(position, number, revision=revision, address=address)
        elif kind == "receipt":
            state = draw(st.sampled_from(get_args(DeliveryState)))
            new = receipt(position, number, state, key=draw(st.integers(1, 3)), revision=revision, address=address)
        elif kind == "withdrawal" and made:
            new = withdrawal(position, draw(st.sampled_from(list(made.values()))))
        else:
            new = erasure(position, address)
        made.setdefault((new.event_id.int, new.revision), new)
    return list(made.values())


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[Sequence[Event]]]:
    """A history, and the same events in another order, some of them repeated, cut into batches."""
    events = draw(histories())
    again = draw(st.lists(st.sampled_from(events), max_size=5))
    mixed = draw(st.permutations([*events, *again]))
    size = draw(st.integers(1, 6))
    return events, [mixed[at : at + size] for at in range(0, len(mixed), size)]


@given(deliveries())
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_any_order_and_any_repetition_fold_to_the_same_rows(
    tables: Tables, delivered: tuple[list[Event], list[Sequence[Event]]]
) -> None:
    events, batches = delivered
    assert await tables.fill(batches) == await tables.fill([events])
