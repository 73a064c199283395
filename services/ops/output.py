"""Data on stdout, for people as a table or lines, for machines as one JSON object a line; everything else on stderr."""

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED_COLUMNS: Final = 10_000


def say(text: str) -> None:
    """Tell people something that is no data."""
    typer.echo(text, err=True)


def emit_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """One row each; JSON has every member, the table only these columns."""
    if as_json:
        emit_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(row.get(column))) for column in columns))
    if table.row_count:
        width = None if sys.stdout.isatty() else _UNLIMITED_COLUMNS
        Console(file=sys.stdout, width=width, highlight=False).print(table)


def emit_one(row: Mapping[str, object], *, as_json: bool) -> None:
    """One thing: a `name: value` line for each member."""
    if as_json:
        emit_json([row])
        return
    for name, value in row.items():
        typer.echo(f"{name}: {shown(value)}")


def emit_json(rows: Iterable[Mapping[str, object]]) -> None:
    """One object a line, at once readable by whoever waits for it."""
    for row in rows:
        sys.stdout.write(orjson.dumps(row, option=orjson.OPT_UTC_Z).decode() + "\n")
    sys.stdout.flush()


def shown(value: object) -> str:
    """As text for a terminal: what customers wrote must not command it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="milliseconds")
        case str():
            return "".join("�" if unicodedata.category(char) == "Cc" and char not in "\n\t" else char for char in value)
        case Mapping() | list() | tuple():
            return shown(orjson.dumps(value).decode())
        case _:
            return shown(str(value))
