"""What became of a call, leg by leg. Published on the topic `interactions`.

All legs of a call have its `interaction_id`. Facts of a call come in any order and more than once: take the furthest
state of each leg and the longest duration.
"""

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Assurance, Fact, Part
from schemas.interaction import Direction

Outcome = Literal["completed", "busy", "no_answer", "canceled", "failed"]


class Party(Part):
    """Whom the call is with: the caller, or whom we called. Of a withheld number `anonymous:` and the call's own id."""

    address: str


class Recording(Part):
    """Whom the recorded call is with, and where the provider keeps the recording."""

    address: str
    url: str | None = None


class CallProgressed(Fact):
    """A leg of a call waits or rings. `first_leg`: the one that the call began with; others are those we connected."""

    type: Literal["call.progressed"] = "call.progressed"
    version: Literal[1] = 1
    interaction_id: UUID
    leg_id: UUID
    first_leg: bool
    channel: str
    direction: Direction
    state: Literal["queued", "ringing"]
    reported: str
    sequence: int | None = None
    assurance: Assurance = "none"
    evidence: tuple[str, ...] = ()
    provider_codes: dict[str, str] = Field(default_factory=dict)
    personal: Party | None = None


class CallAnswered(Fact):
    """A leg of a call was answered. Of the first leg of an incoming call it only means that a caller was let in."""

    type: Literal["call.answered"] = "call.answered"
    version: Literal[1] = 1
    interaction_id: UUID
    leg_id: UUID
    first_leg: bool
    channel: str
    direction: Direction
    reported: str
    sequence: int | None = None
    assurance: Assurance = "none"
    evidence: tuple[str, ...] = ()
    provider_codes: dict[str, str] = Field(default_factory=dict)
    personal: Party | None = None


class CallEnded(Fact):
    """A leg of a call is over. `duration_seconds` is how long it was connected, where the provider tells."""

    type: Literal["call.ended"] = "call.ended"
    version: Literal[1] = 1
    interaction_id: UUID
    leg_id: UUID
    first_leg: bool
    channel: str
    direction: Direction
    outcome: Outcome
    duration_seconds: int | None = None
    reported: str
    sequence: int | None = None
    assurance: Assurance = "none"
    evidence: tuple[str, ...] = ()
    provider_codes: dict[str, str] = Field(default_factory=dict)
    personal: Party | None = None


class CallMissed(Fact):
    """Somebody called and nobody of ours took the call, as far as one report tells: call them back.

    Where several reports together tell it (the call was let in, and every leg that we tried rang out), only the
    timeline says so.
    """

    type: Literal["call.missed"] = "call.missed"
    version: Literal[1] = 1
    interaction_id: UUID
    channel: str
    outcome: Outcome
    reported: str
    personal: Party | None = None


class CallRecorded(Fact):
    """The provider has a recording of a call."""

    type: Literal["call.recorded"] = "call.recorded"
    version: Literal[1] = 1
    interaction_id: UUID
    leg_id: UUID
    channel: str
    attachment_id: UUID
    media_type: str
    duration_seconds: int | None = None
    personal: Recording | None = None
