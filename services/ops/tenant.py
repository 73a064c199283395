"""`tamas tenant`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.ops.options import Json, with_database
from services.ops.output import emit_one, emit_rows, say
from services.record.errors import Refused
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant

_COLUMNS: Final = ("slug", "name", "region", "time_zone", "language", "calendar")


def add(
    slug: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and '-'.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Its name for people.")],
    region: Annotated[str, typer.Option(help="How numbers without a country code are read (ISO 3166).")] = "IR",
    time_zone: Annotated[str, typer.Option(help="Where its days begin.")] = "Asia/Tehran",
    language: Annotated[str, typer.Option(help="What it speaks to its customers (BCP 47).")] = "fa",
    calendar: Annotated[str, typer.Option(help="persian, gregorian or islamic.")] = "persian",
    as_json: Json = False,
) -> None:
    """Serve an organisation from now on."""
    asked = RegisterTenant(slug, name, region, time_zone, language, calendar)
    with Tenancy(with_database()) as tenancy:
        position = tenancy.add_tenant(asked)
    emit_one({**asdict(asked), "position": position}, as_json=as_json)


def list_tenants(*, as_json: Json = False) -> None:
    """All of them."""
    with Tenancy(with_database()) as tenancy:
        register = tenancy.register()
    emit_rows(map(asdict, register.tenants.values()), _COLUMNS, as_json=as_json)
    if not register.tenants:
        say("There is none yet: tamas tenant add SLUG --name NAME")


def show(slug: str, *, as_json: Json = False) -> None:
    """One of them."""
    with Tenancy(with_database()) as tenancy:
        found = tenancy.register().tenants.get(slug)
    if found is None:
        raise Refused(f"There is no tenant {slug!r}.")
    emit_one(asdict(found), as_json=as_json)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"add": add, "list": list_tenants, "show": show}
