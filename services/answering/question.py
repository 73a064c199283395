"""What is answered: the last that a customer said in a conversation and that waits for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from schemas.interaction import Automatic, InteractionReceived
from services.answering.loaded import CameIn, Loaded
from services.conversations.states import About
from services.record.facts_below import FactsBelow
from services.record.reader import Row, event_of
from services.resolving.asked import Question

_MOST: Final = 5
"""So many interactions are looked at for one whose sender is still known."""
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
_NO_INBOX: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Heard:
    """The question, and what else its fact tells. `left` is what was written into a form's other fields."""

    question: Question
    address_id: UUID
    interaction_id: UUID
    event_id: UUID
    raw_id: UUID | None
    automatic: Automatic = "human"
    left: Sequence[str] = ()


async def heard(facts: FactsBelow, loaded: Loaded) -> Heard | None:
    """The newest that asks something, else the newest of all; None where everybody who spoke is erased."""
    newest_first = sorted(loaded.came_in, key=lambda one: (one.asks, one.below), reverse=True)
    for came_in in newest_first[:_MOST]:
        row = await _row(facts, loaded, came_in)
        found = None if row is None or row.erased else _read(row, came_in, loaded.state.about)
        if found is not None:
            return found
    return None


async def _row(facts: FactsBelow, loaded: Loaded, came_in: CameIn) -> Row | None:
    row = await facts.by_id(loaded.tenant, came_in.event_id, came_in.below)
    if row is None or not row.type.startswith("call.") or row.subject == loaded.state.about.address_id:
        return row
    # What a leg that we connected reports may name whom we connected.
    caller = loaded.state.about.address_id
    return await facts.by_caller(loaded.tenant, caller, came_in.below, came_in.decided_at)


def _read(row: Row, came_in: CameIn, about: About) -> Heard | None:
    event = event_of(row)
    fact = event.fact
    personal = getattr(fact, "personal", None)
    if personal is None:
        return None
    is_message = isinstance(fact, InteractionReceived)
    question = Question(
        kind=fact.kind if is_message else "call",
        inbox_id=event.inbox_id or about.inbox_id or _NO_INBOX,
        channel=getattr(fact, "channel", about.channel),
        address=personal.address,
        asked_at=min(event.occurred_at, event.recorded_at + _CLOCKS_DIFFER_BY),
    )
    return Heard(
        question=question,
        address_id=event.subject,
        interaction_id=came_in.interaction_id,
        event_id=event.event_id,
        raw_id=row.raw_id,
        automatic=fact.automatic if is_message else "human",
        left=tuple(fact.personal.fields.values()) if is_message and fact.personal and fact.kind == "form" else (),
    )
