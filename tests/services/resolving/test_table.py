"""The decision table: what is given, where the answer goes and why, and every other way with why not."""

import pytest

from services.resolving.outcome import Resolved, Unreachable
from services.resolving.resolve import resolve
from tests.services.resolving.given import ADDRESSES, NAMES, given
from tests.services.resolving.table import TABLE

_SHORT = {address: name for name, address in ADDRESSES.items()}
_LINES = [line for line in TABLE.splitlines() if line and not line.startswith("#")]
_ROWS = [
    (row, *(cell.strip() for cell in outcome.split("|")))
    for row, outcome in zip(_LINES[::2], _LINES[1::2], strict=True)
]


def _told(row: str) -> tuple[str, str, str]:
    found = resolve(*given(row))
    rejected = " ".join(
        f"{NAMES[one.inbox_id] if one.inbox_id else one.channel}{'>' + _SHORT[one.address] if one.address else ''}:"
        f"{one.code}"
        for one in found.rejected
    )
    match found:
        case Resolved():
            held = "" if found.hold_until is None else f" @{found.hold_until:%dT%H:%MZ}"
            return f"{NAMES[found.inbox_id]}>{_SHORT[found.address]}{held}", found.code, rejected
        case Unreachable():
            return "-", "-", rejected


def test_there_are_as_many_rows_as_were_asked_for() -> None:
    assert len(_ROWS) >= 60
    assert len({row[0] for row in _ROWS}) == len(_ROWS)


@pytest.mark.parametrize(("row", "goes", "why", "rejected"), _ROWS, ids=[row[0] for row in _ROWS])
def test_row(row: str, goes: str, why: str, rejected: str) -> None:
    assert _told(row) == (goes, why, rejected)
