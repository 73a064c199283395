"""Three readers fold a message's facts; of every course that dispatch can take they say the same."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from projections.generation import reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import interaction
from schemas.event import Event
from schemas.outbound import MessageAsked, MessageJudged, MessageResolved, MessageWithdrawn, OutboundFact
from services.answering.message import message_after
from services.dispatch.commands import Command, Doubt, FallBack, GiveUp, Refuse, Report, Start, Took
from services.dispatch.folding import evolve
from services.dispatch.message import decide
from services.dispatch.states import (
    Asked,
    Delivered,
    Due,
    Failed,
    HandedOff,
    InDoubt,
    NoMessage,
    Read,
    Started,
    State,
    Withdrawn,
)
from services.settings import Settings
from tests.projections.outgoing import asked, message_id, resolved, told
from tests.projections.story import INBOX, TENANT
from tests.projections.tables import Tables, tables_of

NOON: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
ID: Final[dict[str, Any]] = {"message_id": message_id(1)}
SECOND: Final = MessageResolved(round=2, channel="email/smtp", inbox_id=INBOX, code="no_delivery", **ID)
SAID: Final[dict[type[State], set[tuple[str, str]]]] = {
    Asked: {("queued", "queued")},
    # Between two tries the timeline shows why it is not there yet.
    Due: {("queued", "queued"), ("queued", "sending")},
    Started: {("sending", "sending")},
    HandedOff: {("sent", "sent")},
    InDoubt: {("in_doubt", "in_doubt")},
    Delivered: {("delivered", "delivered")},
    Read: {("read", "read")},
    Failed: {("failed", "failed")},
    Withdrawn: {("withdrawn", "withdrawn")},
}
"""What answering and the timeline say in each state of dispatch."""


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, TIMELINE) as made:
        yield made


def refused(attempt: int, *, lasting: bool) -> Refuse:
    return Refuse(attempt, "away", "The provider is away.", NOON, lasting=lasting)


STEPS: Final[st.SearchStrategy[Command | OutboundFact]] = st.one_of(
    st.just(Start()),
    st.builds(Took, st.integers(1, 2), st.just("SM"), st.just(UUID(int=4))),
    st.builds(refused, st.integers(1, 2), lasting=st.booleans()),
    st.builds(Doubt, st.integers(1, 2), st.just("?")),
    st.builds(Report, st.integers(1, 2), st.sampled_from(["queued", "sent", "failed", "delivered", "read"])),  # type: ignore[arg-type]
    st.just(FallBack(SECOND)),
    st.just(GiveUp("cannot_send", "closed")),
    st.just(MessageWithdrawn(**ID)),
    st.sampled_from([MessageJudged(judged="arrived", **ID), MessageJudged(judged="not_sent", **ID)]),
)


def course(steps: list[Command | OutboundFact]) -> tuple[list[Event], State]:
    """The facts of a message that was told all this, and where it is then."""
    events, state = [asked(1, 1)], evolve(NoMessage(), _fact(asked(1, 1)), NOON)
    for fact in (_fact(resolved(2, 1)), *steps):
        if isinstance(fact, MessageWithdrawn) and not isinstance(state, Due):
            continue
        if isinstance(fact, MessageJudged) and not isinstance(state, InDoubt):
            continue
        for one in decide(state, fact) if isinstance(fact, Command) else (fact,):
            events.append(told(len(events) + 1, one))
            state = evolve(state, one, NOON)
    return events, state


def _fact(event: Event) -> MessageAsked | MessageResolved:
    assert isinstance(event.fact, (MessageAsked, MessageResolved))
    return event.fact


@given(st.lists(STEPS, max_size=20))
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_answering_dispatch_and_the_timeline_say_the_same(
    tables: Tables, steps: list[Command | OutboundFact]
) -> None:
    events, state = course(steps)
    answered = message_after(events)
    await tables.fill([events])
    async with reading(tables.connection, TIMELINE, TENANT) as tx:
        item = await interaction(tx, TENANT, message_id(1))
    assert answered is not None
    assert item is not None
    assert item.delivery is not None
    words = [event.fact.type for event in events]
    assert (answered.state, item.delivery[0]) in SAID[type(state)], (type(state).__name__, words)
