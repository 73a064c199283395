"""A conversation as its stream in the record tells it: its state, its version, and what came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from schemas.conversation import (
    Brought,
    ConversationAnswered,
    ConversationFact,
    ConversationJoined,
    ConversationOpened,
)
from schemas.event import read_fact
from services.answering.asking import NotThere
from services.conversations.conversation import conversation_after
from services.conversations.states import Conversation, NoConversation
from services.record.reader import Reader, Row

_ASKS: Final[frozenset[Brought]] = frozenset({"message", "missed_call"})


@dataclass(frozen=True, slots=True)
class CameIn:
    """An interaction of the conversation. `event_id` is of the fact that it was decided on, which is `below`."""

    interaction_id: UUID
    event_id: UUID
    below: int
    decided_at: datetime
    asks: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """After `version` decisions, the last at `position`. `answered_by` is the message that passed the turn last."""

    tenant: str
    conversation_id: UUID
    state: Conversation
    version: int
    position: int
    came_in: tuple[CameIn, ...]
    answered_by: UUID | None


async def conversation(reader: Reader, tenant: str, conversation_id: UUID) -> Loaded:
    """The conversation as it stands.

    Raises:
        NotThere: this tenant has no such one.
        psycopg.OperationalError: PostgreSQL is away.
    """
    rows = [row for row in await reader.streams([conversation_id]) if row.tenant == tenant and row.topic == "cases"]
    facts = [cast("ConversationFact", read_fact(row.payload)) for row in rows]
    state = conversation_after(facts)
    if isinstance(state, NoConversation):
        raise NotThere("There is no such conversation.")
    answers = [fact.message_id for fact in facts if isinstance(fact, ConversationAnswered)]
    return Loaded(
        tenant=tenant,
        conversation_id=conversation_id,
        state=state,
        version=len(rows),
        position=rows[-1].position,
        came_in=tuple(_came_in(rows, facts)),
        answered_by=answers[-1] if answers else None,
    )


def _came_in(rows: Sequence[Row], facts: Sequence[ConversationFact]) -> list[CameIn]:
    return [
        CameIn(fact.interaction_id, row.causation_id, row.position, row.recorded_at, fact.brought in _ASKS)
        for row, fact in zip(rows, facts, strict=True)
        if isinstance(fact, (ConversationOpened, ConversationJoined)) and row.causation_id is not None
    ]
