"""The queues: every conversation with whose turn it is, and since when."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from projections.contract import Projection
from schemas.conversation import (
    ConversationAnswered,
    ConversationClosed,
    ConversationFact,
    ConversationJoined,
    ConversationOpened,
    ConversationReleased,
    ConversationReopened,
    ConversationTaken,
)
from schemas.event import Event

_HERE: Final = Path(__file__).parent
_FOLD: Final = (_HERE / "fold.sql").read_bytes()
_FACTS: Final = (
    *(ConversationOpened, ConversationJoined, ConversationAnswered, ConversationClosed, ConversationReopened),
    *(ConversationTaken, ConversationReleased),
)


@dataclass(slots=True)
class _Row:
    """The columns of the table, in the order of `fold.sql`."""

    tenant: str
    conversation_id: UUID
    address_id: UUID | None
    inbox_id: UUID | None
    channel: str | None
    opened_at: datetime | None
    opened_position: int | None
    first_interaction_id: UUID | None
    position: int
    state: str
    since_at: datetime
    waits_for: str | None
    interactions: int
    last_interaction_id: UUID | None
    last_position: int
    taken_by: UUID | None
    taken_position: int
    failed_message_id: UUID | None
    failed_position: int


async def apply(events: Sequence[Event], tx: AsyncConnection) -> None:
    """Fold a batch in: each conversation once, sorted by key, in one statement."""
    rows: dict[tuple[str, UUID], _Row] = {}
    for event in sorted(events, key=_position):
        if isinstance(event.fact, _FACTS):
            key = event.tenant, event.fact.conversation_id
            rows[key] = _folded(rows.get(key), event, event.fact)
    if rows:
        columns = zip(*(astuple(rows[key]) for key in sorted(rows)), strict=True)
        await tx.execute(_FOLD, [list(column) for column in columns])


def _position(event: Event) -> int:
    return event.position


def _folded(row: _Row | None, event: Event, fact: ConversationFact) -> _Row:
    if row is None:
        row = _Row(
            event.tenant, fact.conversation_id, None, None, None, None, None, None,
            event.position, fact.state, fact.since_at, None, 0, None, 0, None, 0, None, 0,
        )  # fmt: skip
    row.position, row.state, row.since_at = event.position, fact.state, fact.since_at
    row.waits_for = getattr(fact, "waits_for", None)
    if isinstance(fact, (ConversationReopened, ConversationAnswered, ConversationClosed)):
        row.failed_message_id = fact.message_id if isinstance(fact, ConversationReopened) else None
        row.failed_position = event.position
    if isinstance(fact, (ConversationTaken, ConversationReleased, ConversationClosed)):
        row.taken_by = fact.agent_id if isinstance(fact, ConversationTaken) else None
        row.taken_position = event.position
    elif isinstance(fact, ConversationOpened):
        row.address_id, row.inbox_id, row.channel = fact.address_id, fact.inbox_id, fact.channel
        row.opened_at, row.opened_position = event.recorded_at, event.position
        row.first_interaction_id = row.last_interaction_id = fact.interaction_id
        row.interactions, row.last_position = 1, event.position
    elif isinstance(fact, ConversationJoined):
        row.interactions, row.last_interaction_id = fact.interactions, fact.interaction_id
        row.last_position = event.position
    return row


QUEUES: Final = Projection(
    name="queues",
    version=2,
    topics=("cases",),
    ddl=(_HERE / "schema.sql").read_bytes(),
    apply=apply,
)
