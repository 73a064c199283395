"""`tamas asyncapi`."""

from collections.abc import Callable
from typing import Any, Final

import orjson
import typer

from services import contracts
from services.settings import Settings


def asyncapi() -> None:
    """The AsyncAPI 3.0 document of the topics."""
    typer.echo(orjson.dumps(contracts.asyncapi(Settings()), option=orjson.OPT_INDENT_2).decode())


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"asyncapi": asyncapi}
