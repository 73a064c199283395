"""The answers about conversations, as documented."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.conversation import ConversationState, WaitsFor
from services.api.shapes import Interaction


class Conversation(BaseModel):
    """Interactions that belong together. What a person wrote or is becomes null once their address is erased."""

    model_config = ConfigDict(title="Conversation")

    conversation_id: UUID
    reference: str | None = Field(description="That of its first interaction; null until the timeline has it.")
    state: ConversationState
    turn: Literal["ours", "customer"] | None = Field(description="Who is expected to speak; null once it is closed.")
    since_at: datetime = Field(description="When it came to this state.")
    waits_for: WaitsFor | None = Field(description="What the customer waits for: a missed call for a call back.")
    taken_by: UUID | None
    failed_message_id: UUID | None = Field(
        description="A message of ours that did not arrive; null once it is answered or closed again."
    )
    channel: str
    inbox_id: UUID | None
    address: str | None
    address_id: UUID
    interactions: int
    opened_at: datetime
    last: Interaction | None = Field(description="The last that came; null once it is withdrawn.")
    position: int = Field(description="Of the decision that it was last changed by.")


class ConversationsPage(BaseModel):
    """A page, the longest in the state first. `position`: everything recorded up to there is in it."""

    items: list[Conversation]
    next: str | None = Field(description="The path of the next page.")
    position: int
    lag_seconds: float = Field(description="How long the first event that is not in it yet has waited.")


class ConversationDetail(Conversation):
    """A conversation with a page of its interactions, newest first."""

    items: list[Interaction]
    next: str | None = Field(description="The path of the next, older page.")
