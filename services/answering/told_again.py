"""The resolution again, from the fact that tells it: what a repeat is answered, and what agents look up."""

from typing import cast

from channels.sms.segments import segments
from schemas.outbound import MessageResolved
from services.resolving.outcome import (
    ChosenBecause,
    Rejected,
    RejectedBecause,
    Rendering,
    Resolution,
    Resolved,
    Unreachable,
)

_ERASED = "Erased."


def resolution_of(fact: MessageResolved, text: str) -> Resolution:
    """What `services.resolving.told` was given; `text` is what the message says, for its length."""
    told = fact.personal
    rejected = tuple(
        Rejected(
            channel=one.channel,
            inbox_id=one.inbox_id,
            address=None if told is None else told.rejected[place].address,
            code=cast("RejectedBecause", one.code),
            why=_ERASED if told is None else told.rejected[place].why,
        )
        for place, one in enumerate(fact.rejected)
    )
    why = _ERASED if told is None else told.why
    if fact.channel is None or fact.inbox_id is None:
        return Unreachable(why, rejected)
    return Resolved(
        channel=fact.channel,
        inbox_id=fact.inbox_id,
        address="" if told is None or told.address is None else told.address,
        rendering=_rendering(fact, text),
        language=fact.language or "",
        code=cast("ChosenBecause", fact.code),
        why=why,
        rejected=rejected,
        hold_until=fact.hold_until,
        hold_why=None if told is None else told.hold_why,
    )


def _rendering(fact: MessageResolved, text: str) -> Rendering:
    characters = len(text.encode("utf-16-le", "surrogatepass")) // 2
    units = None if fact.encoding is None else segments(text).units
    return Rendering(fact.form or "text", characters, fact.encoding, units, fact.segments)
