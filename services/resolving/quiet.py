"""Quiet hours on the customer's wall clock, also on the days on which that clock is put forward or back.

An hour that the clock skips is never seen: quiet hours that would end in it end when the skip does. An hour that it
shows twice is quiet both times.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.resolving.asked import QuietHours

_DAYS: Final = 3
"""A zone that crosses the date line skips a whole day (Pacific/Apia, 30 December 2011)."""
_SECOND: Final = timedelta(seconds=1)


def is_quiet(hours: QuietHours, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the clock on the customer's wall stands within the quiet hours."""
    return _within(hours, at.astimezone(zone).time())


def quiet_until(hours: QuietHours, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the quiet hours that `at` falls into are over (UTC); None when it falls into none."""
    wall = at.astimezone(zone)
    if not _within(hours, wall.time()):
        return None
    today = wall.date()
    # Behind the hour at which they end they began today, and end tomorrow.
    first = 0 if wall.time() < hours.ends else 1
    ends = (
        _instant(today + timedelta(days=day), hours.ends, zone, fold) for day in range(first, _DAYS) for fold in (0, 1)
    )
    return next(end for end in ends if end > at and not is_quiet(hours, zone, end))


def _within(hours: QuietHours, wall: time) -> bool:
    if hours.begins < hours.ends:
        return hours.begins <= wall < hours.ends
    return wall >= hours.begins or wall < hours.ends


def _instant(day: date, wall: time, zone: ZoneInfo, fold: int) -> datetime:
    """When the clock shows this; when it skips it, the first moment after the skip."""
    shown = datetime.combine(day, wall)
    instant = shown.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == shown:
        return instant
    # PEP 495: of a time that is skipped, fold=1 gives a moment before the skip and fold=0 one after it.
    before, after = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
