"""Asks the API with the token of the environment; what it refuses becomes its sentence and an exit code."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import typer

from services.ops.exits import AWAY, NO, NOT_ALLOWED, USAGE
from services.ops.output import say
from services.settings import Settings

_SECONDS: Final = 15.0
_EXITS: Final = {400: USAGE, 401: NOT_ALLOWED, 403: NOT_ALLOWED, 429: AWAY, 503: AWAY}


def has_token(settings: Settings) -> bool:
    """Whether TAMAS_API_TOKEN is set; empty is not."""
    return settings.api_token is not None and bool(settings.api_token.get_secret_value())


def ask(settings: Settings, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON answer of a GET.

    Raises:
        httpx.TransportError: nobody answers there.
        typer.Exit: it refuses; its sentence was told.
    """
    params = {name: value for name, value in asked.items() if value is not None}
    return _answered(settings, "GET", path, params=params)


def order(settings: Settings, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON answer of a POST. Raises as `ask`."""
    return _answered(settings, "POST", path, json={name: value for name, value in body.items() if value is not None})


def _answered(settings: Settings, method: str, path: str, **sent: Any) -> dict[str, Any]:
    token = "" if settings.api_token is None else settings.api_token.get_secret_value()
    answer = httpx.request(
        method,
        settings.api_url.rstrip("/") + path,
        headers={"Authorization": f"Bearer {token}"},
        timeout=_SECONDS,
        follow_redirects=False,
        **sent,
    )
    if answer.is_success:
        return answer.json()
    say(_sentence(answer))
    raise typer.Exit(_EXITS.get(answer.status_code, NO))


def _sentence(answer: httpx.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
        ways: list[dict[str, str]] = problem["errors"] if problem["code"] == "no_way" else []
        return "\n".join([str(problem["detail"]), *(f"  {one['field']}: {one['detail']}" for one in ways)])
    except (ValueError, KeyError, TypeError):
        return f"{answer.url.copy_with(query=None)} answers {answer.status_code}"
