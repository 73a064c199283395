"""What one fact tells of a call, in the columns that `calls.sql` folds."""

from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded
from schemas.fact import Assurance
from schemas.interaction import Direction, InteractionReceived

CallFact: TypeAlias = CallProgressed | CallAnswered | CallEnded | CallMissed | CallRecorded

RANKS: Final = {
    "queued": 1,
    "ringing": 2,
    "in_progress": 3,
    "canceled": 4,
    "failed": 5,
    "no_answer": 6,
    "busy": 7,
    "completed": 8,
}
"""States of a leg as a lattice: the furthest ever reported holds. Below 4 it is not over."""

_ASSURANCES: Final[dict[Assurance, int]] = {"none": 0, "claimed": 1, "verified": 2}


@dataclass(frozen=True, slots=True)
class Told:
    """`rank` is that of a leg; None for what speaks of the call as a whole."""

    direction: Direction = "in"
    leg_id: UUID | None = None
    first_leg: bool = False
    rank: int | None = None
    missed: bool = False
    duration_seconds: int | None = None
    assurance: int = 0
    recording_id: UUID | None = None
    media_type: str | None = None
    url: str | None = None


def told_of(fact: InteractionReceived | CallFact) -> Told:
    """The columns of this fact."""
    match fact:
        case InteractionReceived():
            return Told(fact.direction, assurance=_ASSURANCES[fact.assurance])
        case CallProgressed():
            return _on_leg(fact, fact.state)
        case CallAnswered():
            return _on_leg(fact, "in_progress")
        case CallEnded():
            return _on_leg(fact, fact.outcome, fact.duration_seconds)
        case CallMissed():
            return Told(missed=True)
        case CallRecorded():
            url = None if fact.personal is None else fact.personal.url
            # How long a recording is says little on the call: it may begin late.
            return Told(leg_id=fact.leg_id, recording_id=fact.attachment_id, media_type=fact.media_type, url=url)
        case _:
            assert_never(fact)


def _on_leg(fact: CallProgressed | CallAnswered | CallEnded, state: str, seconds: int | None = None) -> Told:
    return Told(
        direction=fact.direction,
        leg_id=fact.leg_id,
        first_leg=fact.first_leg,
        rank=RANKS[state],
        duration_seconds=seconds,
        assurance=_ASSURANCES[fact.assurance],
    )
