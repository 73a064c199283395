"""Facts that several commands lead to."""

from datetime import datetime
from uuid import UUID

from schemas.conversation import ConversationAnswered, ConversationReopened
from services.conversations.states import Conversation, Waiting


def answered(
    state: Conversation, at: datetime, *, message_id: UUID | None = None, interaction_id: UUID | None = None
) -> ConversationAnswered:
    """We had our turn."""
    of = state.about.conversation_id
    return ConversationAnswered(conversation_id=of, message_id=message_id, interaction_id=interaction_id, since_at=at)


def reopened(
    after: Waiting,
    *,
    interaction_id: UUID | None = None,
    message_id: UUID | None = None,
    reopened_by: UUID | None = None,
) -> ConversationReopened:
    """The customer waits again, and why."""
    return ConversationReopened(
        conversation_id=after.about.conversation_id,
        interaction_id=interaction_id,
        message_id=message_id,
        reopened_by=reopened_by,
        state="waiting",
        since_at=after.since_at,
        waits_for=after.waits_for,
    )
