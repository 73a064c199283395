"""Quiet hours on days on which the clock is put forward or back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolving.asked import QuietHours
from services.resolving.quiet import is_quiet, quiet_until

# What the clocks of these places really did: (zone, quiet from, until, now in UTC, until when in UTC or None).
_DAYS = [
    # Tehran has had no summer time since 2022, half an hour past the hour.
    ("Asia/Tehran", "22:00", "08:00", "2026-11-25T18:29", None),
    ("Asia/Tehran", "22:00", "08:00", "2026-11-25T18:30", "2026-11-26T04:30"),
    ("Asia/Tehran", "22:00", "08:00", "2026-11-26T04:29", "2026-11-26T04:30"),
    ("Asia/Tehran", "22:00", "08:00", "2026-11-26T04:30", None),
    ("Asia/Tehran", "13:00", "15:00", "2026-11-25T10:00", "2026-11-25T11:30"),
    # Before: at midnight of 22 March 2022 its clock went to one.
    ("Asia/Tehran", "22:00", "00:30", "2022-03-21T20:00", "2022-03-21T20:30"),
    # And back from midnight to 23:00 on 22 September 2022: the hour from 23:00 came twice.
    ("Asia/Tehran", "20:00", "23:30", "2022-09-21T18:45", "2022-09-21T19:00"),
    ("Asia/Tehran", "20:00", "23:30", "2022-09-21T19:40", "2022-09-21T20:00"),
    # Berlin: 02:00 to 03:00 on 29 March 2026 is skipped, 02:00 to 03:00 on 25 October 2026 comes twice.
    ("Europe/Berlin", "22:00", "02:30", "2026-03-29T00:30", "2026-03-29T01:00"),
    ("Europe/Berlin", "22:00", "07:00", "2026-03-28T22:00", "2026-03-29T05:00"),
    ("Europe/Berlin", "22:00", "02:30", "2026-10-25T00:10", "2026-10-25T00:30"),
    ("Europe/Berlin", "22:00", "02:30", "2026-10-25T01:10", "2026-10-25T01:30"),
    ("Europe/Berlin", "22:00", "07:00", "2026-10-24T21:00", "2026-10-25T06:00"),
    # Apia had no 30 December 2011: quiet until eight meant eight on the 31st.
    ("Pacific/Apia", "22:00", "08:00", "2011-12-30T09:30", "2011-12-30T18:00"),
    # Lord Howe goes forward by half an hour at 02:00 on 4 October 2026.
    ("Australia/Lord_Howe", "22:00", "02:15", "2026-10-03T15:00", "2026-10-03T15:30"),
    ("Asia/Kathmandu", "21:00", "06:00", "2026-11-25T16:00", "2026-11-26T00:15"),
]


@pytest.mark.parametrize(("zone", "begins", "ends", "now", "until"), _DAYS)
def test_until_when(zone: str, begins: str, ends: str, now: str, until: str | None) -> None:
    hours = QuietHours(time.fromisoformat(begins), time.fromisoformat(ends))
    found = quiet_until(hours, ZoneInfo(zone), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC))


@given(
    st.sampled_from(sorted({row[0] for row in _DAYS} | {"America/Sao_Paulo", "Africa/Casablanca", "America/Havana"})),
    st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] != pair[1]),
    st.datetimes(datetime(2008, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
)
def test_it_ends_outside_of_them_and_not_later_than_it_must(name: str, pair: tuple[time, time], at: datetime) -> None:
    hours, zone = QuietHours(*pair), ZoneInfo(name)
    until = quiet_until(hours, zone, at)
    assert (until is not None) == is_quiet(hours, zone, at)
    if until is None:
        return
    assert until > at
    assert not is_quiet(hours, zone, until)
    assert is_quiet(hours, zone, until - timedelta(microseconds=1))
    assert until - at <= timedelta(hours=25)


def test_hours_that_would_never_end() -> None:
    with pytest.raises(ValueError, match="never end"):
        QuietHours(time(8), time(8))
    with pytest.raises(ValueError, match="no zone"):
        QuietHours(time(8, tzinfo=UTC), time(9))
