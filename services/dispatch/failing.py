"""A message that did not arrive is no answer: its conversation waits again."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from schemas.conversation import ConversationFact
from services.conversations.commands import Fail
from services.conversations.conversation import conversation_after, decide, evolve
from services.conversations.states import NoConversation, State
from services.dispatch.turn import Lost
from services.record.decisions import Decided, Decisions


def failures(decisions: Decisions, lost: Sequence[Lost], at: datetime) -> list[Decided]:
    """What becomes of their conversations, to be saved with the failures. Reads the record: not on the loop."""
    if not lost:
        return []
    streams = decisions.load({one.conversation_id for one in lost})
    states: dict[UUID, State] = {
        stream_id: conversation_after(cast("ConversationFact", one.fact) for one in stream)
        for stream_id, stream in streams.items()
    }
    versions = {stream_id: len(stream) for stream_id, stream in streams.items()}
    decided: list[Decided] = []
    for one in lost:
        of = one.conversation_id
        state = states[of]
        if isinstance(state, NoConversation):
            continue
        for fact in decide(state, Fail(one.message_id, at)):
            versions[of] += 1
            states[of] = evolve(states[of], fact)
            decided.append(Decided(of, versions[of], one.tenant, fact))
    return decided
