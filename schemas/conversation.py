"""Interactions that belong together on one channel, and whose turn it is. Published on the topic `cases`.

Each fact says what the conversation is after it: `state`, since when, and what it waits for. Take the fact with the
highest position. No fact has a personal part: what was said is in the interactions.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Fact

ConversationState = Literal["waiting", "answered", "closed"]
WaitsFor = Literal["message", "call_back"]
Brought = Literal["message", "missed_call", "taken_call", "auto_reply", "bounce", "flood", "outgoing"]
"""What an interaction is to its conversation. Only a message and a missed call make it wait for us.

`flood`: more mails from one sender than a person writes. `outgoing`: ours, seen by a channel.
"""
Ground = Literal["reply_key", "message_id", "references", "open_conversation"]
"""Why an interaction belongs to a conversation, strongest first.

It was sent to a signed key of ours; it refers to an answer of ours, or to another mail of the conversation; it is the
conversation that its sender has on this inbox now.
"""
Why = Literal["no_conversation", "expired"]
"""Why a conversation is new: the sender had none on this inbox, or only one that is over for too long."""


class ConversationOpened(Fact):
    """An interaction began a conversation, and is the first in it. `address_id` is its customer's address."""

    type: Literal["conversation.opened"] = "conversation.opened"
    version: Literal[1] = 1
    conversation_id: UUID
    address_id: UUID
    inbox_id: UUID | None = None
    channel: str
    interaction_id: UUID
    why: Why
    brought: Brought
    state: ConversationState
    since_at: datetime
    waits_for: WaitsFor | None = None


class ConversationJoined(Fact):
    """An interaction belongs to a conversation that was there. `interactions` are how many it has now."""

    type: Literal["conversation.joined"] = "conversation.joined"
    version: Literal[1] = 1
    conversation_id: UUID
    interaction_id: UUID
    interactions: int
    why: Ground
    brought: Brought
    state: ConversationState
    since_at: datetime
    waits_for: WaitsFor | None = None


class ConversationAnswered(Fact):
    """We had our turn: by a message of ours, or by a call that was taken after all. It waits for nobody of ours."""

    type: Literal["conversation.answered"] = "conversation.answered"
    version: Literal[1] = 1
    conversation_id: UUID
    message_id: UUID | None = None
    interaction_id: UUID | None = None
    state: Literal["answered"] = "answered"
    since_at: datetime


class ConversationClosed(Fact):
    """Nothing is expected from either side. `closed_by` is the agent, None where a rule did it."""

    type: Literal["conversation.closed"] = "conversation.closed"
    version: Literal[1] = 1
    conversation_id: UUID
    closed_by: UUID | None = None
    state: Literal["closed"] = "closed"
    since_at: datetime


class ConversationReopened(Fact):
    """It goes on: an interaction came in time, a call turned out to be missed, or an agent wants it.

    With `message_id` that message of ours did not arrive, so the customer still waits.
    """

    type: Literal["conversation.reopened"] = "conversation.reopened"
    version: Literal[1] = 1
    conversation_id: UUID
    interaction_id: UUID | None = None
    reopened_by: UUID | None = None
    message_id: UUID | None = None
    state: Literal["waiting", "answered"]
    since_at: datetime
    waits_for: WaitsFor | None = None


class ConversationTaken(Fact):
    """An agent answers it: nobody else need. Who took it before has it no longer."""

    type: Literal["conversation.taken"] = "conversation.taken"
    version: Literal[1] = 1
    conversation_id: UUID
    agent_id: UUID
    state: ConversationState
    since_at: datetime
    waits_for: WaitsFor | None = None


class ConversationReleased(Fact):
    """It is nobody's again. `agent_id` had it."""

    type: Literal["conversation.released"] = "conversation.released"
    version: Literal[1] = 1
    conversation_id: UUID
    agent_id: UUID
    state: ConversationState
    since_at: datetime
    waits_for: WaitsFor | None = None


ConversationFact = Annotated[
    ConversationOpened
    | ConversationJoined
    | ConversationAnswered
    | ConversationClosed
    | ConversationReopened
    | ConversationTaken
    | ConversationReleased,
    Field(discriminator="type"),
]
