"""`tamas token`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.ops.options import Json, TenantName, duration, identifier, with_database
from services.ops.output import emit_one, emit_rows, say
from services.ops.whose import the_tenant
from services.tenancy.store import Tenancy
from services.tenancy.tokens import Token, add_token, revoke_token, tokens

_COLUMNS: Final = ("token_id", "tenant", "name", "role", "created_at", "expires_at", "revoked_at")


def add(
    name: Annotated[str, typer.Argument(help="By what you will know it in the list.")],
    role: Annotated[str, typer.Option(help="agent, supervisor, operator, integrator or subscriber.")],
    expires: Annotated[str | None, typer.Option(metavar="90d", help="How long it is good for.")] = None,
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """Make a token. Its secret is printed now and never again."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        owner = the_tenant(tenancy, tenant)
    token, secret = add_token(settings.record_url, owner, name, role, None if expires is None else duration(expires))
    if as_json:
        emit_one({**_row(token), "secret": secret}, as_json=True)
        return
    typer.echo(secret)
    say(f"Token {token.token_id} for {owner}, {role}. This is the only time that its secret is shown.")


def list_tokens(tenant: TenantName = None, *, as_json: Json = False) -> None:
    """All of them, also those that were taken back."""
    emit_rows(map(_row, tokens(with_database().record_url, tenant)), _COLUMNS, as_json=as_json)


def revoke(token_id: str, tenant: TenantName = None) -> None:
    """Take a token back; the API notices within five seconds."""
    revoke_token(with_database().record_url, tenant, identifier(token_id))
    say(f"Token {token_id} is revoked.")


def _row(token: Token) -> Mapping[str, object]:
    return asdict(token)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"add": add, "list": list_tokens, "revoke": revoke}
