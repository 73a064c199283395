"""`tamas openapi`."""

from collections.abc import Callable
from typing import Any, Final

import orjson
import typer

from services.api.app import build
from services.api.documents import document
from services.settings import Settings

_UNUSED_SECRET: Final = "the document tells of paths and opens nothing"  # noqa: S105 - as it says


def openapi() -> None:
    """The OpenAPI 3.1 document of the API."""
    app = build(Settings.model_validate({"secret_key": _UNUSED_SECRET}))
    typer.echo(orjson.dumps(document(app), option=orjson.OPT_INDENT_2).decode())


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"openapi": openapi}
