"""`tamas sign`: the signature that a provider would put on a request."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.ops.options import Json, TenantName, identifier, with_database
from services.ops.outgoing import prepare
from services.ops.output import emit_json, say
from services.ops.request_file import read
from services.record.errors import Refused
from services.tenancy.store import Tenancy


def sign(
    channel: Annotated[str, typer.Argument(metavar="KIND/PROVIDER")],
    file: Annotated[Path, typer.Argument(help="A raw request (.http) or a payload (.json).")],
    *,
    inbox: Annotated[str, typer.Option(metavar="ID", help="Whose secret and URL.")],
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Print what a provider adds to a request: `name: value` lines. The URL that is signed goes to stderr."""
    settings = with_database()
    recorded = read(file)
    with Tenancy(settings) as tenancy:
        view = tenancy.view(tenant, identifier(inbox))
        if view.inbox.channel != channel:
            raise Refused(f"The inbox {view.inbox.name!r} is {view.inbox.channel}, not {channel}.")
        request = prepare(settings, tenancy, view, recorded, forge=False)
    if not request.added:
        raise Refused(f"Whoever sends to {channel} signs nothing: there is nothing to add.")
    if as_json:
        emit_json([{"url": request.url, **dict(request.added)}])
        return
    for name, value in request.added:
        typer.echo(f"{name}: {value}")
    say(f"URL: {request.url}")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"sign": sign}
