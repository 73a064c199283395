"""`tamas run`: some roles in this process, for those who supervise processes themselves."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from services.ops.options import settings


def run(
    names: Annotated[
        list[str], typer.Argument(help="ingress, parser, imap, relay, projector, search, api; or edge, core, views.")
    ],
) -> None:
    """Run roles until SIGTERM; one line on stdout when all are ready."""
    import uvloop  # noqa: PLC0415 - only processes that serve need it

    from services import roles  # noqa: PLC0415 - the same

    def ready(addresses: dict[str, str]) -> None:
        typer.echo(" ".join(["ready", *(f"{name}={address}" for name, address in addresses.items())]))

    uvloop.run(roles.run(names, settings(), ready))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"run": run}
