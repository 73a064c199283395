"""`tamas user`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.desk.users import add_user, change_password, disable_user, drawn_password, users
from services.ops.options import Json, TenantName, secrets, with_database
from services.ops.output import emit_rows, say
from services.ops.whose import the_tenant
from services.tenancy.store import Tenancy

_COLUMNS: Final = ("login", "tenant", "name", "role", "language", "created_at", "disabled_at")

PasswordFrom = Annotated[
    str | None, typer.Option(metavar="SOURCE", help="@FILE, - for stdin, or env:VARIABLE. None: one is drawn.")
]


def add(
    login: Annotated[str, typer.Argument(help="What they type to sign in.")],
    *,
    name: Annotated[str, typer.Option(help="What colleagues read.")],
    role: Annotated[str, typer.Option(help="agent or supervisor.")] = "agent",
    language: Annotated[str, typer.Option(help="en or fa; they can change it.")] = "en",
    password_from: PasswordFrom = None,
    tenant: TenantName = None,
) -> None:
    """Let a person work at the desk. A drawn password is printed now and never again."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        owner = the_tenant(tenancy, tenant)
    password = _password(password_from)
    user_id = add_user(settings.record_url, owner, login, name, password, role=role, language=language)
    _show(password, password_from)
    say(f"{name} ({user_id}) may sign in to the desk of {owner} as {login.strip().casefold()}.")


def list_users(tenant: TenantName = None, *, as_json: Json = False) -> None:
    """Everybody, also those who are disabled."""
    emit_rows(map(asdict, users(with_database().record_url, tenant)), _COLUMNS, as_json=as_json)


def disable(login: str, tenant: TenantName = None) -> None:
    """Let a person in no more; where they are signed in ends within five seconds."""
    disable_user(with_database().record_url, tenant, login)
    say(f"{login} may sign in no more.")


def password(login: str, *, password_from: PasswordFrom = None, tenant: TenantName = None) -> None:
    """Give a person another password; where they are signed in ends. A drawn one is printed now and never again."""
    given = _password(password_from)
    change_password(with_database().record_url, tenant, login, given)
    _show(given, password_from)
    say(f"{login} has another password, and has to sign in again.")


def _password(source: str | None) -> str:
    return drawn_password() if source is None else secrets([f"password={source}"])["password"]


def _show(drawn: str, source: str | None) -> None:
    if source is None:
        typer.echo(drawn)
        say("This is the only time that the password is shown.")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "add": add,
    "list": list_users,
    "password": password,
    "disable": disable,
}
