"""`tamas openapi`."""

from collections.abc import Callable
from typing import Any, Final

import orjson
import typer

from services.api.app import openapi_document


def openapi() -> None:
    """The OpenAPI 3.1 document of the API."""
    typer.echo(orjson.dumps(openapi_document(), option=orjson.OPT_INDENT_2).decode())


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"openapi": openapi}
