"""`tamas rebuild`."""

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import psycopg
import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from projections.registry import SETS
from services.deciding.progress import ask_for_refill
from services.ops.options import Json, with_database
from services.ops.output import emit_one, say
from services.projector.rebuild import AlreadyFilling, Report, UnknownReadModel, rebuild
from services.record.errors import Refused

_NAMES: Final = ", ".join(sorted(one.name for projections in SETS.values() for one in projections))
_DECIDERS: Final = {"conversations": "the decider of conversations", "dispatch": "dispatch"}
_LOOKUPS: Final = ", ".join(_DECIDERS)


def run(
    projection: Annotated[
        str, typer.Argument(help=f"The read model: {_NAMES}; or the tables of a decider: {_LOOKUPS}.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Fill a read model anew from the record, compare, and let it serve. The old one serves meanwhile."""
    settings = with_database()
    if projection in _DECIDERS:
        _ask_decider(settings.record_url, projection)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    try:
        with bar:
            task = bar.add_task(projection, total=None)
            report = asyncio.run(
                rebuild(settings, projection, progress=lambda at, end: bar.update(task, completed=at, total=end))
            )
    except (UnknownReadModel, AlreadyFilling) as error:
        raise Refused(str(error)) from error
    emit_one(_row(report), as_json=as_json)
    if report.differences:
        say("The new one differs from the old one, and serves: it was made from the record.")


def _ask_decider(url: str, decider: str) -> None:
    with psycopg.connect(url, connect_timeout=5) as connection:
        ask_for_refill(connection.cursor(row_factory=dict_row), decider)
    who = _DECIDERS[decider]
    say(f"{who[0].upper()}{who[1:]} fills its tables again, from the record, before its next decision.")


def _row(report: Report) -> dict[str, object]:
    return {
        "projection": report.name,
        "generation": report.generation,
        "position": report.position,
        "events": report.events,
        "compared": report.compared,
        "differences": {
            table: {"old": {"rows": old[0], "sum": str(old[1])}, "new": {"rows": new[0], "sum": str(new[1])}}
            for table, (old, new) in report.differences.items()
        },
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"rebuild": run}
