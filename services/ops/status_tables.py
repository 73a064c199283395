"""`tamas status` for people (rich): tables, once or live."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.ops.output import shown

_UNLIMITED_COLUMNS: Final = 200
_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def show(found: Mapping[str, Any]) -> None:
    """Once, on stdout."""
    width = None if sys.stdout.isatty() else _UNLIMITED_COLUMNS
    Console(file=sys.stdout, width=width, highlight=False).print(_all(found))


def follow(look: Callable[[], Mapping[str, Any]], seconds: float) -> None:
    """In place, until Ctrl-C; what is wrong stands below."""
    console = Console(file=sys.stdout, highlight=False)
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            found = look()
            live.update(Group(_all(found), *(Text(trouble, "bold red") for trouble in found["troubles"])), refresh=True)
            time.sleep(seconds)


def _all(found: Mapping[str, Any]) -> Group:
    return Group(
        _table(
            ("role", "pid", "answers", "restarts", "memory", "cpu"),
            (
                (one["role"], one["pid"], one["up"], one["restarts"], _bytes(one["resident_bytes"]), one["cpu_seconds"])
                for one in found["processes"]
            ),
        ),
        _table(
            ("tenant", "channel", "inbox", "events/min", "accepted", "again", "parked", "refused"),
            (
                (one["tenant"], one["channel"], one["name"], one["events_per_minute"],
                 *(one.get(name) for name in ("accepted", "duplicate", "parked", "refused")))
                for one in found["intake"]
            ),
        ),
        _table(("what", "position", "behind", "detail"), _progress(found)),
        _table(("what", "number", "oldest"), _waiting(found)),
        _table(
            ("server", "reached", "detail"),
            [
                *((name, is_there, "") for name, is_there in found["servers"].items()),
                ("disk", True, f"{_bytes(found['disk']['free_bytes'])} of {_bytes(found['disk']['bytes'])} free"),
            ],
        ),
    )  # fmt: skip


def _progress(found: Mapping[str, Any]) -> Iterable[Sequence[object]]:
    append, relay = found["append"], found["relay"]
    pace = "" if append["seconds"] is None else f"{append['requests_per_group']} requests in {append['seconds']:.3f} s"
    yield "record", found["head"], None, f"{append['groups']} groups, {pace}" if pace else ""
    yield "relay", relay["position"], _seconds(relay["lag_seconds"]), f"looked {_seconds(relay['age_seconds'])} ago"
    conversations = found["conversations"]
    yield "conversations", None, _seconds(conversations["lag_seconds"]), f"{conversations['undecided']} facts undecided"
    for one in found["sets"]:
        yield one["name"], one["position"], _seconds(one["lag_seconds"]), f"{one['parked']} events parked"


def _waiting(found: Mapping[str, Any]) -> Iterable[Sequence[object]]:
    oldest = found["oldest_waiting_seconds"]
    yield "in memory", found["append"]["waiting"], None
    if found["spool"] is not None:
        yield "spool", found["spool"]["waiting"], None
    yield "pending", found["pending"], _seconds(oldest["pending"])
    yield "parked", found["parked"], _seconds(oldest["parked"])
    yield "answers due", found["answers"]["due"], _seconds(found["answers"]["oldest_due_seconds"])
    yield "answers in doubt", found["answers"]["in_doubt"], None


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    table.add_row()
    return table


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _bytes(value: float) -> str:
    for unit in _UNITS[:-1]:
        if value < 1024:  # noqa: PLR2004 - bytes in a kilobyte
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} {_UNITS[-1]}"
