"""The answers about interactions, as documented and as sent: the same names in one place."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from projections.timeline.outgoing import SendingState
from projections.timeline.queries import Item
from schemas.interaction import Direction, Kind
from schemas.reference import reference


class Attached(BaseModel):
    """What came with a message. `bytes` is its size; 0 when the provider keeps it."""

    attachment_id: UUID
    name: str | None
    media_type: str
    bytes: int


class Leg(BaseModel):
    """One line of a call: the caller's own (`first_leg`), or one that was connected to it."""

    leg_id: UUID
    first_leg: bool
    state: Literal["queued", "ringing", "in_progress", "completed", "busy", "no_answer", "canceled", "failed"]
    duration_seconds: int | None


class Call(BaseModel):
    """What a call came to: `missed` is one that came in and that nobody of ours took. None for what is no call."""

    state: Literal["queued", "ringing", "in_progress", "completed", "missed", "busy", "no_answer", "canceled", "failed"]
    duration_seconds: int | None
    legs: list[Leg]


class Delivery(BaseModel):
    """What became of a message of ours, and since when. `in_doubt`: nobody knows whether the provider took it."""

    state: SendingState
    at: datetime
    why: str | None = Field(description="A sentence for what went wrong.")
    hold_until: datetime | None = Field(description="Nothing is sent before: quiet hours, or the next attempt.")


class Interaction(BaseModel):
    """One touch. What a person wrote or is becomes null once their address is erased."""

    model_config = ConfigDict(title="Interaction")

    interaction_id: UUID
    event_id: UUID
    reference: str = Field(description="For people: eight letters and digits, `7K3M-2QXD`.")
    kind: Kind
    direction: Direction
    channel: str
    inbox_id: UUID | None
    address: str | None
    address_id: UUID
    conversation_id: UUID | None
    agent_id: UUID | None = Field(description="Who wrote a message of ours; null where no agent did.")
    subject: str | None
    text: str | None
    attachments: list[Attached]
    call: Call | None
    delivery: Delivery | None
    assurance: Literal["none", "claimed", "verified"]
    occurred_at: datetime
    recorded_at: datetime
    position: int
    revision: int


class InteractionDetail(Interaction):
    """One touch with what only its own page shows."""

    full_text: str | None = Field(description="With what they quoted; null when that is all of `text`.")
    automatic: Literal["human", "auto_reply", "bounce", "bulk"]


class TimelinePage(BaseModel):
    """A page, newest first. `position`: everything recorded up to there is in it."""

    items: list[Interaction]
    next: str | None = Field(description="The path of the next, older page.")
    position: int
    lag_seconds: float = Field(description="How long the first event that is not in it yet has waited.")


def interaction(item: Item) -> dict[str, Any]:
    """An `Interaction`, ready for orjson."""
    return {
        "interaction_id": item.interaction_id,
        "event_id": item.event_id,
        "reference": reference(item.event_id),
        "kind": item.kind,
        "direction": item.direction,
        "channel": item.channel,
        "inbox_id": item.inbox_id,
        "address": item.address,
        "address_id": item.address_id,
        "conversation_id": item.conversation_id,
        "agent_id": item.agent_id,
        "subject": item.subject,
        "text": item.text,
        "attachments": item.attachments(),
        "call": _call(item),
        "delivery": _delivery(item),
        "assurance": item.assurance,
        "occurred_at": item.occurred_at,
        "recorded_at": item.recorded_at,
        "position": item.position,
        "revision": item.revision,
    }


def _delivery(item: Item) -> dict[str, Any] | None:
    if item.delivery is None:
        return None
    state, at = item.delivery
    return {"state": state, "at": at, "why": item.delivery_why, "hold_until": item.delivery_hold_until}


def _call(item: Item) -> dict[str, Any] | None:
    if item.call_state is None:
        return None
    return {"state": item.call_state, "duration_seconds": item.call_duration_seconds, "legs": item.legs}


def detail(item: Item) -> dict[str, Any]:
    """An `InteractionDetail`, ready for orjson."""
    return {**interaction(item), "full_text": item.full_text, "automatic": item.automatic}
