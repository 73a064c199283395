"""The Date header and its relatives (RFC 5322 sections 3.3 and 4.3), and the forms that programs write instead."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone
from typing import Final

_MOST_CHARS: Final = 1000
_COMMENT: Final = re.compile(r"\((?:[^()\\]|\\.)*\)")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ZONES: Final = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "bst": 60, "wet": 0, "west": 60, "cet": 60,
    "cest": 120, "met": 60, "mest": 120, "eet": 120, "eest": 180, "msk": 180, "ist": 330, "irst": 210, "jst": 540,
    "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
"""Minutes east of Greenwich; a name that is not here counts as UTC (RFC 5322: "-0000")."""

_TIME: Final = (
    r"(?P<hour>\d{1,2})\s*[:.\s]\s*(?P<minute>\d{1,2})(?:\s*[:.\s]\s*(?P<second>\d{1,2})(?:[.,]\d+)?)?(?!\s*:)"
    r"\s*(?P<half>[ap]\.?m\b\.?)?"
)
_DAY_FIRST: Final = r"(?P<day>\d{1,2})[\s./-]+(?P<month>[a-z]{3,9}|\d{1,2})[\s,./-]+(?P<year>\d{2,4})"
_ZONE: Final = r"\s*,?\s*(?P<zone>(?:gmt|utc)?\s*[+-]\s*\d{1,2}:?\d{0,2}|[a-z]{1,5}\b|\d{1,4}\b)?"
_WHOLE: Final = re.compile(r"\d:\d{2}(?::\d{2})?\s+(?:[+-]\d{4}\b|[A-Z]{1,5}\b)")
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_DAY_FIRST}[\s,T-]+(?:at\s+)?{_TIME}{_ZONE}",
        rf"(?P<month>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})\s*,?\s+(?P<year>\d{{4}})\s*,?\s+(?:at\s+)?{_TIME}{_ZONE}",
        rf"(?P<month>[a-z]{{3}})\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?P<zone0>[a-z]{{3,5}}\s+)?(?P<year>\d{{4}})\b{_ZONE}",
        rf"(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})[\sT]+{_TIME}{_ZONE}",
    )
)


def is_whole(value: str) -> bool:
    """Whether a zone stands behind the time; a Date that was overwritten on its way ends before it."""
    return _WHOLE.search(value[-_MOST_CHARS:]) is not None


def parse(value: str) -> datetime | None:
    """The moment a date header names, aware of its zone; None when it names none. In Received it stands after `;`."""
    text = value[-_MOST_CHARS:]
    while (shorter := _COMMENT.sub(" ", text)) != text:
        text = shorter
    text = " ".join(text.split())
    if ";" in text:
        text = text.rsplit(";", 1)[1]
    for form in _FORMS:
        if (match := form.search(text)) and (moment := _moment(match)):
            return moment
    return None


def _moment(match: re.Match[str]) -> datetime | None:
    month = _month(match["month"])
    if month is None:
        return None
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    offset = _offset(match["zone"] or match.groupdict().get("zone0") or "")
    try:
        moment = datetime(
            _year(match["year"]), month, int(match["day"]), hour, int(match["minute"]),
            min(int(match["second"] or 0), 59), tzinfo=timezone(timedelta(minutes=offset)) if offset else UTC,
        )  # fmt: skip
    except (ValueError, OverflowError):
        return None
    # In the first and the last year it may have no name in another zone.
    return moment if MINYEAR < moment.year < MAXYEAR else None


def _month(word: str) -> int | None:
    if word.isdigit():
        return int(word) or None
    return _MONTHS.get(word[:3].lower())


def _year(digits: str) -> int:
    """Two digits mean 1950 to 2049, three mean years since 1900 (RFC 5322 section 4.3)."""
    year = int(digits)
    if len(digits) == 4:  # noqa: PLR2004
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)  # noqa: PLR2004


def _offset(zone: str) -> int:
    zone = zone.strip().lower()
    digits = re.sub(r"\D", "", zone)
    if not digits:
        return _ZONES.get(zone, 0)
    if len(digits) <= 2 and ("+" in zone or "-" in zone) and zone[:1] in "gu+-":  # noqa: PLR2004
        digits = f"{digits}00"
    hours, minutes = divmod(int(digits), 100)
    total = hours * 60 + minutes
    return (-total if "-" in zone else total) if total < 24 * 60 else 0
