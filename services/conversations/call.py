"""What a call has come to, from the reports about its legs in any order. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from projections.timeline.calls import RANKS, CallFact, told_of
from schemas.interaction import Direction, InteractionReceived

CallOutcome = Literal["missed", "taken", "unreached"]
"""`missed` came in and nobody of ours took it, `unreached` went out in vain."""
_TALKING: Final = RANKS["in_progress"]
_OVER: Final = RANKS["canceled"]
_COMPLETED: Final = RANKS["completed"]
_BEGUN, _FIRST_LEG, _LEG = 3, 2, 1


@dataclass(frozen=True, slots=True)
class CallSoFar:
    """Legs that we connected, by the furthest state of each, and that of the leg that the call began with.

    Whose call it is, and in which direction, says its beginning; failing that its first leg; failing that any report:
    `known_by` tells which.
    """

    address_id: UUID
    inbox_id: UUID
    channel: str
    direction: Direction = "in"
    known_by: int = 0
    first_rank: int = 0
    legs: Mapping[UUID, int] = field(default_factory=lambda: MappingProxyType({}))
    missed: bool = False
    taken: bool = False


def with_report(
    call: CallSoFar | None, fact: InteractionReceived | CallFact, address_id: UUID, inbox_id: UUID
) -> CallSoFar:
    """The call with one report more."""
    told = told_of(fact)
    before = call or CallSoFar(address_id, inbox_id, fact.channel)
    known_by = _BEGUN if isinstance(fact, InteractionReceived) else _FIRST_LEG if told.first_leg else _LEG
    if known_by > before.known_by and not told.missed:
        before = replace(before, address_id=address_id, inbox_id=inbox_id, direction=told.direction, known_by=known_by)
    if told.missed:
        return replace(before, missed=True)
    if told.rank is None:
        return before
    if told.first_leg:
        return replace(before, first_rank=max(before.first_rank, told.rank))
    if told.leg_id is None:
        return before
    legs = {**before.legs, told.leg_id: max(before.legs.get(told.leg_id, 0), told.rank)}
    return replace(before, legs=legs, taken=before.taken or told.rank in (_TALKING, _COMPLETED))


def outcome_of(call: CallSoFar) -> CallOutcome | None:
    """What it came to; None while it rings, or waits in a system that answers by itself.

    A leg that we connected and that was answered takes the call. Where none was connected, the first leg says all that
    is known: of a call that came in, its being let in is no answer.
    """
    if call.taken:
        return "taken"
    is_over = call.missed or call.first_rank >= _OVER or (bool(call.legs) and min(call.legs.values()) >= _OVER)
    if call.direction == "out":
        if call.first_rank in (_TALKING, _COMPLETED):
            return "taken"
        return "unreached" if is_over else None
    if not is_over:
        return None
    return "taken" if call.first_rank == _COMPLETED and not call.legs and not call.missed else "missed"
