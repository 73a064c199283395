"""`tamas migrate`."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from services.migrate import migrate, pending
from services.ops.exits import NO
from services.ops.options import with_database
from services.ops.output import say


def run(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something is to be done.")] = False,
) -> None:
    """Bring the databases to the schema of this version, each step once."""
    settings = with_database()
    if not check:
        done = migrate(settings)
        for name in done:
            typer.echo(name)
        say(f"{len(done)} migrations run." if done else "Nothing was to be done.")
        return
    urls = {"record": settings.record_url, "keys": settings.keys_url, "views": settings.views_url}
    missing = [name for part, url in urls.items() for name in pending(url, part)]
    for name in missing:
        typer.echo(name)
    if missing:
        say("Run tamas migrate.")
        raise typer.Exit(NO)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"migrate": run}
