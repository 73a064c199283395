"""`tamas schemas`."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services import contracts
from services.ops.output import say


def export(directory: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Copy the JSON Schema of every fact ever published into a folder."""
    directory.mkdir(parents=True, exist_ok=True)
    found = sorted(contracts.PUBLISHED.glob("*.json"))
    for path in found:
        shutil.copyfile(path, directory / path.name)
    say(f"{len(found)} schemas are in {directory}.")


def list_schemas() -> None:
    """The facts and versions that were ever published."""
    for name, version in sorted(contracts.published()):
        typer.echo(f"{name}.v{version}")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"export": export, "list": list_schemas}
