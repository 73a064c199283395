"""`tamas wait`."""

import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import httpx
import typer

from services.ops.exits import AWAY, NO
from services.ops.options import settings
from services.ops.output import say

_POLL_SECONDS: Final = 0.1
_ANSWER_SECONDS: Final = 3.0


def run(timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long at most.")] = 60.0) -> None:
    """Wait until the front door says that it is ready. Exit 1 when it answers and is not, 69 when nobody answers."""
    deadline = time.monotonic() + timeout
    while True:
        # Read anew each time: `tamas up` may only now write where it listens.
        code, told = _asked(settings().api_url.rstrip("/") + "/readyz")
        if code == 0:
            say(told)
            return
        if time.monotonic() >= deadline:
            say(told)
            raise typer.Exit(code)
        time.sleep(_POLL_SECONDS)


def _asked(url: str) -> tuple[int, str]:
    try:
        answer = httpx.get(url, timeout=_ANSWER_SECONDS)
        is_ready = answer.is_success and bool(answer.json()["ready"])
    except httpx.TransportError as error:
        return AWAY, f"{url} is not reached: {error}"
    except (ValueError, KeyError, TypeError):
        return AWAY, f"{url} does not answer as Tamas does."
    return (0, f"{url} is ready.") if is_ready else (NO, f"{url} is not ready: {answer.text}")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"wait": run}
