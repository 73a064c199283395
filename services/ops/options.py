"""Options that several commands have, and how their values are read."""

import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from pydantic import ValidationError

from services import logs
from services.settings import Misconfigured, Settings, load

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhdw])")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
TenantName = Annotated[
    str | None, typer.Option("--tenant", envvar="TAMAS_TENANT", metavar="SLUG", help="The tenant, by its short name.")
]
Pairs = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the channel.")]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME=SOURCE", help="A secret: @FILE, - for stdin, or env:VARIABLE."),
]


def settings() -> Settings:
    """The settings of this process. Raises `Misconfigured`."""
    try:
        found = load()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        raise Misconfigured(f"{name if name.isupper() else f'TAMAS_{name.upper()}'}: {first['msg']}") from error
    # Standard output is for data.
    logs.configure(found, "command")
    return found


def with_database() -> Settings:
    """The same; raises `Misconfigured` when no database is known."""
    found = settings()
    if not found.record_url:
        raise Misconfigured(
            f"No database is known: set DATABASE_URL, or TAMAS_DATA to the data folder of a running `tamas up` "
            f"(now {found.data})."
        )
    return found


def pairs(given: Sequence[str] | None, option: str = "--set") -> dict[str, str]:
    """`NAME=VALUE` each."""
    found: dict[str, str] = {}
    for one in given or ():
        name, separator, value = one.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"{one!r} has no name and value joined by '='", param_hint=option)
        found[name] = value
    return found


def secrets(given: Sequence[str] | None) -> dict[str, str]:
    """`NAME=SOURCE` each, read from where it is; the value itself is taken too, though others can see it then."""
    found: dict[str, str] = {}
    for name, source in pairs([_hidden(one) for one in given or ()], "--secret").items():
        value = _read(name, source)
        if not value:
            raise typer.BadParameter(f"the secret {name} is empty", param_hint="--secret")
        found[name] = value
    return found


def _hidden(one: str) -> str:
    if "=" not in one:
        raise typer.BadParameter("a secret is given as NAME=SOURCE", param_hint="--secret")
    return one


def _read(name: str, source: str) -> str:
    if source == "-":
        return sys.stdin.read().rstrip("\r\n")
    if source.startswith("@"):
        try:
            return Path(source[1:]).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{source[1:]} cannot be read: {error}", param_hint="--secret") from error
    if source.startswith("env:"):
        variable = source.removeprefix("env:")
        if variable not in os.environ:
            raise typer.BadParameter(f"the variable {variable} is not set", param_hint="--secret")
        return os.environ[variable]
    typer.echo(f"The secret {name} was given as it is: other users of this machine may have seen it.", err=True)
    return source


def duration(text: str) -> timedelta:
    """`30s`, `15m`, `24h`, `90d` or `2w`."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no length of time: a number with s, m, h, d or w, such as 24h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str) -> datetime:
    """A time of RFC 3339 with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: write it as 2026-11-20T09:30:00Z") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone: end it with Z or +03:30")
    return found


def identifier(text: str) -> UUID:
    """An id as commands print it."""
    try:
        return UUID(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no id") from error
