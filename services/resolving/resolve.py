"""Where an answer goes and why: one pure function over what is known, with every other way and why not.

Precedence: what the customer stated in this contact, what is on file, the channel of the question, then what they
allowed. A form is answered at the address left in it, a call by message to its number. The way back of the question
needs no other consent than the question (unless they forbade it since); any other way needs one.

Quiet hours hold a message and say until when. The one ground to answer within them: the customer asked less than
`House.live_seconds` ago, and this is their question's own way back, so they are awake and wait there. An agent's
override changes the channel only, and breaks neither consent nor quiet hours.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.record.errors import Refused
from services.resolving.asked import Asked, Preference, QuietHours
from services.resolving.bars import Bar, bar
from services.resolving.outcome import ChosenBecause, Rejected, Rendering, Resolution, Resolved, Unreachable
from services.resolving.quiet import quiet_until
from services.resolving.rendering import plain, rendered
from services.resolving.ways import Way, ways
from services.resolving.words import read

_WHY: Final[dict[ChosenBecause, str]] = {
    "override": "The agent chose {name}: {reason}",
    "stated": "The customer asked in this contact to be answered by {name}.",
    "on_file": "The customer prefers {name}.",
    "question": "The customer asked by {name}.",
    "form_address": "The customer left this address with the question.",
    "call_by_message": "The customer called from this number; a call is answered by message.",
    "consented": "The customer allowed {name}, and nothing that they prefer is possible.",
}


def resolve(asked: Asked, now: datetime) -> Resolution:
    """The way that an answer takes at this (aware) time. The same again gives the same.

    Raises:
        Refused: an override without a reason.
    """
    if asked.override is not None and not asked.override.reason.strip():
        raise Refused("Say why this answer should take another channel.")
    quiet_ends_at, text = _quiet_ends_at(asked, now), plain(asked.message)
    awake = quiet_ends_at is None or _is_awake(asked, now)
    chosen: Way | None = None
    hold_until: datetime | None = None
    rejected: list[Rejected] = []
    for way in ways(asked):
        hold = None if awake and (quiet_ends_at is None or way.answers) else quiet_ends_at
        found = bar(asked, way, text, hold or now, held=hold is not None)
        if found is not None:
            rejected.append(_rejected(way, found))
        elif chosen is None:
            chosen, hold_until = way, hold
        else:
            first = f"{read(chosen.channel)} to {chosen.address} comes first."
            rejected.append(_rejected(way, ("less_preferred", first[0].upper() + first[1:])))
    if chosen is None:
        return Unreachable("There is no way to answer this customer.", tuple(rejected))
    return _resolved(asked, chosen, text, hold_until, tuple(rejected))


def _resolved(
    asked: Asked, way: Way, text: Rendering, hold_until: datetime | None, rejected: tuple[Rejected, ...]
) -> Resolved:
    inbox, address = way.inbox, way.address
    assert inbox is not None and address is not None  # noqa: S101, PT018 - bars let no other way pass
    reason = "" if asked.override is None else asked.override.reason
    return Resolved(
        channel=way.channel,
        inbox_id=inbox.inbox_id,
        address=address,
        rendering=rendered(asked.message, inbox.capabilities, text),
        language=_language(asked),
        code=way.because,
        why=_WHY[way.because].format(name=read(way.channel), reason=reason),
        rejected=rejected,
        hold_until=hold_until,
        hold_why=None if hold_until is None else _hold_why(asked, hold_until),
    )


def _rejected(way: Way, found: Bar) -> Rejected:
    return Rejected(way.channel, None if way.inbox is None else way.inbox.inbox_id, way.address, *found)


def _quiet_ends_at(asked: Asked, now: datetime) -> datetime | None:
    hours = _quiet_hours(asked)
    return None if hours is None else quiet_until(hours, _zone(asked), now)


def _is_awake(asked: Asked, now: datetime) -> bool:
    """A question from the future is a clock that is wrong, and no ground."""
    if asked.question is None:
        return False
    return timedelta() <= now - asked.question.asked_at < timedelta(seconds=asked.house.live_seconds)


def _hold_why(asked: Asked, hold_until: datetime) -> str:
    zone = _zone(asked)
    return f"Quiet hours: held until {hold_until.astimezone(zone):%H:%M} ({zone.key})."


def _quiet_hours(asked: Asked) -> QuietHours | None:
    return next((one.quiet_hours for one in _said(asked) if one.quiet_hours), asked.house.quiet_hours)


def _language(asked: Asked) -> str:
    return next((one.language for one in _said(asked) if one.language), asked.house.language)


def _zone(asked: Asked) -> ZoneInfo:
    named = next((one.time_zone for one in _said(asked) if one.time_zone), asked.house.time_zone)
    return _known_zone(named) or ZoneInfo(asked.house.time_zone)


def _said(asked: Asked) -> tuple[Preference, ...]:
    return tuple(one for one in (asked.stated, asked.on_file) if one is not None)


@cache
def _known_zone(name: str) -> ZoneInfo | None:
    """None for a name that this machine's data does not have: what a customer's device says is not ours."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
