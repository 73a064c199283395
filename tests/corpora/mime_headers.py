"""Single header values: addresses, dates, ids, unstructured text, content types, lists; `received` is skipped."""

from datetime import datetime
from pathlib import Path
from typing import Any

from channels.email import dates, params, thread
from channels.email.address import Address, addresses
from channels.email.headers import split
from channels.email.words import decoded, unfolded
from tests.corpora.contract import Case, Scored, Tally


def score(case: Case, folder: Path) -> Scored | None:  # noqa: ARG001
    kind = case["input"]["header"]
    source = split(b"X-Field: " + case["input"]["value"].encode("utf_8", "surrogatepass"))[0].source("X-Field") or ""
    reader = _READERS.get(kind)
    if reader is None:
        return None
    tally = Tally()
    reader(source, case["expect"], tally)
    return tally.scored()


def _addresses(source: str, expect: dict[str, Any], tally: Tally) -> None:
    found = addresses(source)
    if "raw" in expect:
        tally.equal("raw", expect["raw"], _lists(found))
    wanted = expect.get("addresses")
    if wanted is not None:
        people = [_person(person, has_group="group" in one) for person, one in _paired(found, wanted)]
        tally.equal("addresses", wanted, people)


def _paired(found: list[Address], wanted: list[dict[str, Any]]) -> list[tuple[Address, dict[str, Any]]]:
    return [(person, wanted[at] if at < len(wanted) else {}) for at, person in enumerate(found)]


def _person(person: Address, *, has_group: bool) -> dict[str, str | None]:
    plain = {"name": person.name or None, "address": person.address or None}
    return plain | {"group": person.group or None} if has_group else plain


def _lists(found: list[Address]) -> dict[str, Any]:
    if not any(person.group for person in found):
        return {"List": [_person(person, has_group=False) for person in found]}
    groups: list[dict[str, Any]] = []
    for person in found:
        if not groups or groups[-1]["name"] != (person.group or None):
            groups.append({"name": person.group or None, "addresses": []})
        groups[-1]["addresses"].append(_person(person, has_group=False))
    return {"Group": groups}


def _date(source: str, expect: dict[str, Any], tally: Tally) -> None:
    found = dates.parse(source)
    if "iso" in expect:
        tally.equal("iso", expect["iso"] and datetime.fromisoformat(expect["iso"]), found)
    if "raw" in expect:
        tally.equal("raw", expect["raw"], found and _clock(found))


def _clock(moment: datetime) -> dict[str, Any]:
    offset = moment.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    return {
        "year": moment.year, "month": moment.month, "day": moment.day, "hour": moment.hour, "minute": moment.minute,
        "second": moment.second, "tz_before_gmt": minutes < 0, "tz_hour": hours, "tz_minute": rest,
    }  # fmt: skip


def _ids(source: str, expect: dict[str, Any], tally: Tally) -> None:
    tally.equal("raw", expect["raw"], list(thread.message_ids(source)) or None)


def _unstructured(source: str, expect: dict[str, Any], tally: Tally) -> None:
    tally.equal("raw", expect["raw"], decoded(source))


def _list(source: str, expect: dict[str, Any], tally: Tally) -> None:
    items = [decoded(item) for item in unfolded(source).split(",")]
    tally.equal("raw", expect["raw"], [item for item in items if item])


def _content_type(source: str, expect: dict[str, Any], tally: Tally) -> None:
    found = params.media_type(source)
    wanted = expect["raw"]
    if wanted is None or found is None:
        tally.equal("raw", wanted, found)
        return
    attributes = dict(wanted.get("attributes") or [])
    tally.equal(
        "raw",
        (wanted["c_type"], wanted["c_subtype"], attributes),
        (found.type, found.subtype or None, found.params if "attributes" in wanted else {}),
    )


_READERS = {
    "address": _addresses, "date": _date, "id": _ids, "unstructured": _unstructured, "list": _list,
    "content_type": _content_type,
}  # fmt: skip
