"""Which call and which leg a request of Twilio's is about, and who is called or calls.

Every request tells of one leg, `CallSid`. `ParentCallSid` is the call that a leg was connected to; without it the leg
is the one that the call began with. Source: https://www.twilio.com/docs/voice/twiml#request-parameters
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from channels.contract import InboundRequest, Origin
from channels.errors import Malformed
from channels.twilio_request import Params
from channels.voice.caller import caller_address
from schemas.fact import Assurance
from schemas.interaction import Direction

_DIGITS: Final = 9
_SECONDS_IN_HAND: Final = 64
# https://www.twilio.com/docs/voice/trusted-calling-with-shakenstir: only with A does the caller's carrier vouch that
# this customer of theirs may use this number.
_STIR: Final = "StirVerstat"
_PASSED: Final = "TN-Validation-Passed-"
_VOUCHED: Final = "A"


@dataclass(frozen=True, slots=True)
class Call:
    """One request's view of a call. `sid` names the call, `leg_sid` the leg; `address` is the customer's.

    `interaction_id` is that of all its legs.
    """

    origin: Origin
    sid: str
    leg_sid: str
    direction: Direction
    address: str
    assurance: Assurance
    evidence: tuple[str, ...]
    occurred_at: datetime | None
    interaction_id: UUID

    @property
    def is_first_leg(self) -> bool:
        """Whether the call began with this leg."""
        return self.sid == self.leg_sid

    def leg_id(self, sid: str) -> UUID:
        """Of any of its legs, by Twilio's name."""
        return self.origin.derive(sid, "leg")


def call_of(request: InboundRequest, params: Params, region: str, ours: Collection[str]) -> Call:
    """What the request is about. `ours` are addresses of our own, which are never the customer's.

    Raises:
        Malformed: it names no call.
    """
    leg_sid = params.get("CallSid")
    if not leg_sid:
        raise Malformed("CallSid is missing.")
    sid = params.get("ParentCallSid") or leg_sid
    direction: Direction = "out" if sid == leg_sid and params.get("Direction", "").startswith("outbound") else "in"
    found = caller_address(params.get("To" if direction == "out" else "From", ""), region)
    if found in ours and sid != leg_sid:
        # A leg that shows our own number to whoever is connected says nothing about the customer.
        found = None
    assurance, evidence = _sureness(params, found)
    return Call(
        origin=request.origin,
        sid=sid,
        leg_sid=leg_sid,
        direction=direction,
        # Two people who withhold their numbers must not become one.
        address=found or f"anonymous:{sid}",
        assurance=assurance,
        evidence=evidence,
        occurred_at=_time(params.get("Timestamp", "")),
        interaction_id=request.origin.derive(sid, "interaction"),
    )


def number(written: str | None) -> int | None:
    """A count or a length in seconds; None for what is none."""
    if written is None or not (written.isascii() and written.isdecimal() and len(written) <= _DIGITS):
        return None
    return int(written)


def _sureness(params: Params, address: str | None) -> tuple[Assurance, tuple[str, ...]]:
    if address is None:
        return "none", ()
    stated = params.get(_STIR)
    if not stated:
        return "claimed", ()
    if not stated.startswith(_PASSED):
        return "claimed", ("stir=failed",) if "Failed" in stated else ()
    level = stated.removeprefix(_PASSED)[:1]
    return "verified" if level == _VOUCHED else "claimed", (f"stir=pass/{level}",)


# Twilio tells whole seconds: many reports have one between them.
@lru_cache(maxsize=_SECONDS_IN_HAND)
def _time(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
