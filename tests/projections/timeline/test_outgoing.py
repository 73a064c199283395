from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from projections.generation import reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import Item, conversation, interaction, timeline
from schemas.event import Event
from services.settings import Settings
from tests.projections.conversations import conversation_id, opened
from tests.projections.outgoing import (
    AGENT,
    OTHER_INBOX,
    asked,
    failed,
    handed_off,
    in_doubt,
    judged,
    message_id,
    receipts_as,
    refused,
    reported,
    resolved,
    started,
    taken_back,
)
from tests.projections.story import INBOX, NOON, TENANT, address_id, erasure, message, receipt
from tests.projections.tables import Tables, tables_of

NIGHT_ENDS = NOON + timedelta(hours=9)


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        yield made


async def _shown(tables: Tables, *events: Event) -> Item:
    await tables.fill([[event] for event in events])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        item = await interaction(tx, TENANT, message_id(1))
    assert item is not None
    return item


async def test_an_answer_stands_on_the_timeline_of_who_asked(tables: Tables) -> None:
    item = await _shown(tables, message(1, 1), opened(2, 1, 1), asked(3, 1), resolved(4, 1))
    assert (item.kind, item.direction, item.channel, item.inbox_id) == ("message", "out", "sms/twilio", INBOX)
    assert (item.text, item.address, item.address_id) == ("سفارش شما فرستاده شد", "tel:+989121234567", address_id(1))
    assert (item.agent_id, item.automatic, item.conversation_id) == (AGENT, "human", conversation_id(1))
    assert (item.event_id, item.position, item.revision) == (asked(3, 1).event_id, 3, 1)
    assert [one["name"] for one in item.attachments()] == ["invoice.pdf"]
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        both = await timeline(tx, TENANT, address_id(1), limit=5)
    assert [one.direction for one in both] == ["out", "in"]


async def test_before_it_is_resolved_nobody_knows_where_it_goes(tables: Tables) -> None:
    item = await _shown(tables, asked(1, 1, agent=None, automatic=True))
    assert (item.channel, item.inbox_id, item.address) == ("", None, "mailto:1@example.com")
    assert (item.agent_id, item.automatic, item.delivery) == (
        None,
        "auto_reply",
        ("queued", NOON + timedelta(seconds=1)),
    )


ASKED = (asked(1, 1), resolved(2, 1))
STATES: list[tuple[str, Sequence[Event], str, int, str | None]] = [
    ("asked", (), "queued", 1, None),
    ("started", (started(3, 1),), "sending", 3, None),
    ("tried again", (started(3, 1), refused(4, 1, retry_after=60)), "sending", 4, "The provider is busy."),
    ("second attempt", (started(3, 1), refused(4, 1, retry_after=60), started(5, 1, 2)), "sending", 5, None),
    ("refused", (started(3, 1), refused(4, 1)), "failed", 4, "The number is not in service."),
    ("another way", (started(3, 1), refused(4, 1), resolved(5, 1, round=2)), "queued", 5, None),
    ("no other way", (started(3, 1), refused(4, 1), resolved(5, 1, round=2, channel=None)), "failed", 4,
     "The number is not in service."),
    ("failed", (started(3, 1), refused(4, 1), failed(5, 1)), "failed", 5, "It could not be delivered."),
    ("in doubt", (started(3, 1), in_doubt(4, 1)), "in_doubt", 4, "No answer came."),
    ("it did not arrive", (started(3, 1), in_doubt(4, 1), judged(5, 1, arrived=False)), "queued", 5, None),
    ("sent once more", (started(3, 1), in_doubt(4, 1), judged(5, 1, arrived=False), started(6, 1, 2)),
     "sending", 6, None),
    ("it arrived", (started(3, 1), in_doubt(4, 1), judged(5, 1, arrived=True)), "delivered", 5, None),
    ("doubt is settled", (started(3, 1), in_doubt(4, 1), reported(5, 1, "sent")), "sent", 5, None),
    ("taken over", (started(3, 1), handed_off(4, 1), reported(5, 1, "sent")), "sent", 4, None),
    ("delivered", (started(3, 1), handed_off(4, 1), reported(5, 1, "delivered")), "delivered", 5, None),
    ("read", (started(3, 1), handed_off(4, 1), reported(5, 1, "read"), reported(6, 1, "delivered")), "read", 5, None),
    ("not delivered", (started(3, 1), handed_off(4, 1), reported(5, 1, "failed")), "failed", 5,
     "The provider reports a failure: 30003."),
    ("delivered after all", (started(3, 1), handed_off(4, 1), failed(5, 1), reported(6, 1, "delivered")),
     "delivered", 6, None),
    ("late failure of the first", (started(3, 1), handed_off(4, 1), resolved(5, 1, round=2), started(6, 1, 2),
     handed_off(7, 1, 2), reported(8, 1, "failed")), "sent", 7, None),
    ("taken back", (taken_back(3, 1),), "withdrawn", 3, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "state", "position", "why"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
async def test_what_became_of_it(
    tables: Tables, events: Sequence[Event], state: str, position: int, why: str | None
) -> None:
    item = await _shown(tables, *ASKED, *events)
    assert item.delivery == (state, NOON + timedelta(seconds=position))
    assert item.delivery_why == why


async def test_it_is_held_until_quiet_hours_end(tables: Tables) -> None:
    held = (asked(1, 1), resolved(2, 1, hold_until=NIGHT_ENDS))
    item = await _shown(tables, *held)
    assert item.delivery == ("held", NOON + timedelta(seconds=1))
    assert item.delivery_hold_until == NIGHT_ENDS
    item = await _shown(tables, *held, started(3, 1))
    assert (item.delivery_state, item.delivery_hold_until) == ("sending", None)
    item = await _shown(tables, *held, started(3, 1), refused(4, 1, retry_after=60))
    assert item.delivery_hold_until == NOON + timedelta(seconds=60)


async def test_the_last_way_is_the_one_shown(tables: Tables) -> None:
    other = resolved(5, 1, round=2, channel="email/smtp", inbox=OTHER_INBOX, goes_to="mailto:s@example.com")
    item = await _shown(tables, *ASKED, started(3, 1), refused(4, 1), other)
    assert (item.channel, item.inbox_id, item.address) == ("email/smtp", OTHER_INBOX, "mailto:s@example.com")


@pytest.mark.parametrize("early", [True, False])
async def test_receipts_for_it_make_no_row_beside_it(tables: Tables, early: bool) -> None:
    theirs = receipt(9, receipts_as(1).int - 0x1000, "read", key=1)
    ours = [*ASKED, started(3, 1), handed_off(4, 1), reported(10, 1, "delivered")]
    item = await _shown(tables, *([theirs, *ours] if early else [*ours, theirs]))
    assert item.delivery_state == "delivered"
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        assert [one.interaction_id for one in await timeline(tx, TENANT, address_id(1), limit=5)] == [message_id(1)]


async def test_erasing_who_asked_takes_the_words_and_where_they_went(tables: Tables) -> None:
    for events in ([*ASKED, erasure(3, 1)], [erasure(3, 1), *ASKED], [ASKED[1], erasure(3, 1), ASKED[0]]):
        item = await _shown(tables, *events)
        assert (item.address, item.text, item.channel, item.delivery_state) == (None, None, "sms/twilio", "queued")
        cursor = await tables.connection.execute(
            "SELECT string_agg(row_to_json(i)::text, '') || (SELECT string_agg(row_to_json(s)::text, '') "
            "FROM timeline_g1.sendings AS s) FROM timeline_g1.interactions AS i"
        )
        row = await cursor.fetchone()
        assert row is not None
        assert not any(word in row[0] for word in ("سفارش", "example.com", "98912", "invoice"))


async def test_a_conversation_is_read_from_both_ends(tables: Tables) -> None:
    told = [message(1, 1), opened(2, 1, 1), asked(3, 1), asked(4, 2), asked(5, 3), asked(6, 4, of=2)]
    for batches in ([told], [[event] for event in reversed(told)]):
        await tables.fill(batches)
        async with reading(tables.connection, TIMELINE, TENANT) as tx:
            newest = await conversation(tx, TENANT, conversation_id(1), limit=2)
            at = (newest[-1].effective_at, newest[-1].position)
            older = await conversation(tx, TENANT, conversation_id(1), limit=5, before=at)
            first = (older[-1].effective_at, older[-1].position)
            newer = await conversation(tx, TENANT, conversation_id(1), limit=2, after=first)
        assert [[one.position for one in page] for page in (newest, older, newer)] == [[5, 4], [3, 1], [3, 4]]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    made: list[Event] = []
    for position in range(1, draw(st.integers(4, 16)) + 1):
        number, attempt = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        kind = draw(st.integers(0, 11))
        made.append(
            [
                asked(position, number),
                resolved(position, number, round=attempt, hold_until=draw(st.sampled_from([None, NIGHT_ENDS]))),
                started(position, number, attempt),
                handed_off(position, number, attempt),
                refused(position, number, attempt, retry_after=draw(st.sampled_from([None, 9.0]))),
                in_doubt(position, number, attempt),
                reported(position, number, draw(st.sampled_from(["sent", "failed", "read"])), attempt),
                judged(position, number, arrived=draw(st.booleans())),
                failed(position, number),
                erasure(position, 1),
                receipt(position, receipts_as(number, attempt).int - 0x1000, "delivered", key=position),
                message(position, receipts_as(number, attempt).int - 0x1000),
            ][kind]
        )
    return made


@given(histories(), st.randoms(use_true_random=False), st.integers(1, 6))
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_any_order_and_any_repetition_fold_to_the_same_rows(
    tables: Tables, events: list[Event], random: Random, size: int
) -> None:
    mixed = [*events, *events[:3]]
    random.shuffle(mixed)
    batches = [mixed[at : at + size] for at in range(0, len(mixed), size)]
    assert await tables.fill(batches) == await tables.fill([events])
