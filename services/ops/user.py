"""`tamas user`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.desk.users import add_user, disable_user, drawn_password, users
from services.ops.options import Json, TenantName, secrets, with_database
from services.ops.output import emit_rows, say
from services.ops.whose import the_tenant
from services.tenancy.store import Tenancy

_COLUMNS: Final = ("login", "tenant", "name", "role", "language", "created_at", "disabled_at")


def add(
    login: Annotated[str, typer.Argument(help="What they type to sign in.")],
    *,
    name: Annotated[str, typer.Option(help="What colleagues read.")],
    role: Annotated[str, typer.Option(help="agent or supervisor.")] = "agent",
    language: Annotated[str, typer.Option(help="en or fa; they can change it.")] = "en",
    password_from: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="@FILE, - for stdin, or env:VARIABLE. None: one is drawn.")
    ] = None,
    tenant: TenantName = None,
) -> None:
    """Let a person work at the desk. A drawn password is printed now and never again."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        owner = the_tenant(tenancy, tenant)
    given = None if password_from is None else secrets([f"password={password_from}"])["password"]
    password = given or drawn_password()
    user_id = add_user(settings.record_url, owner, login, name, password, role=role, language=language)
    if given is None:
        typer.echo(password)
        say("This is the only time that the password is shown.")
    say(f"{name} ({user_id}) may sign in to the desk of {owner} as {login.strip().casefold()}.")


def list_users(tenant: TenantName = None, *, as_json: Json = False) -> None:
    """Everybody, also those who are disabled."""
    emit_rows(map(asdict, users(with_database().record_url, tenant)), _COLUMNS, as_json=as_json)


def disable(login: str, tenant: TenantName = None) -> None:
    """Let a person in no more; where they are signed in ends within five seconds."""
    disable_user(with_database().record_url, tenant, login)
    say(f"{login} may sign in no more.")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"add": add, "list": list_users, "disable": disable}
