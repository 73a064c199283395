"""What a process can be. One visible table; each role runs until its stop event and tells when it is ready."""

import asyncio
import gc
import importlib
import signal
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from services import logs
from services.metrics import listen
from services.metrics.meters import CURRENT, Meters
from services.record import identity
from services.settings import Misconfigured, Settings
from services.tracing import setting as tracing

Ready = Callable[[dict[str, str]], None]

ROLES: Final[dict[str, str]] = {
    "ingress": "services.ingress.app:run",
    "parser": "services.ingress.app:run_parser",
    "imap": "services.ingress.app:run_imap",
    "relay": "services.relay.app:run",
    "housekeeping": "services.housekeeping:run",
    "conversations": "services.conversations.app:run",
    "acknowledging": "services.acknowledging.app:run",
    "dispatch": "services.dispatch.role:run",
    "projector": "services.projector.app:run",
    "search": "services.projector.app:run_search",
    "api": "services.api.app:run_role",
    "desk": "services.desk.app:run",
}
_END_SECONDS: Final = 7.0
"""Longer than the API lets requests in hand end, shorter than a supervisor waits."""
_AGAIN_SECONDS: Final = 0.5
_log: Final = structlog.get_logger()
_COLLECTS_AFTER: Final = (10_000, 20, 20)
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "edge": ("ingress",),
    "core": ("relay", "housekeeping", "conversations", "acknowledging", "dispatch"),
    "views": ("projector", "search", "api", "desk"),
}


def named(names: Sequence[str]) -> list[str]:
    """The roles behind these names, groups opened.

    Raises:
        Misconfigured: a name that is neither.
    """
    unknown = [name for name in names if name not in ROLES and name not in GROUPS]
    if unknown:
        known = ", ".join([*ROLES, *GROUPS])
        raise Misconfigured(f"there is no role {', '.join(unknown)}: choose from {known}")
    return [role for name in names for role in GROUPS.get(name, (name,))]


async def run(names: Sequence[str], settings: Settings, ready: Ready) -> None:
    """Run these roles in this process until SIGTERM or SIGINT, or until one of them fails, which ends all."""
    logs.configure(settings, "+".join(names), waits=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    roles = named(names)
    meters = Meters("+".join(names))
    CURRENT.set(meters)
    traces = tracing.begin(meters.role)
    tracing.CURRENT.set(traces)
    metering = asyncio.create_task(listen.run(settings, meters, stop), name="metrics")
    await identity.check_if_reached(settings.record_url)
    told: dict[str, dict[str, str]] = {}

    def is_ready(role: str) -> Callable[..., None]:
        def note(addresses: dict[str, str] | None = None) -> None:
            told[role] = addresses or {}
            if len(told) == len(roles):
                # What is alive now stays: the collector need not walk it again.
                gc.collect()
                gc.freeze()
                # What a request is made of dies by its counts: looking for cycles in it every 700 objects took 4 % of
                # intake's time, and found none.
                gc.set_threshold(*_COLLECTS_AFTER)
                ready({name: address for found in told.values() for name, address in found.items()})

        return note

    # Before the roles, so that its sentence is the one that is told.
    tasks = [asyncio.create_task(identity.watch(settings.record_url, stop), name="identity")]
    tasks += [asyncio.create_task(_role(role)(settings, stop, is_ready(role)), name=role) for role in roles]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    outcomes = await ended([*tasks, metering])
    if traces is not None:
        await traces.end()
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome


async def ended(tasks: Sequence[asyncio.Task[Any]], patience_seconds: float = _END_SECONDS) -> list[Any]:
    """Their outcomes, exceptions among them. What was told to stop and does not is cancelled until it does.

    Once is not enough: a cancellation gets lost where `wait_for` ends at the same moment (Python 3.11).
    """
    _, late = await asyncio.wait(tasks, timeout=patience_seconds)
    while late:
        for task in late:
            _log.warning("role.cancelled", role=task.get_name())
            task.cancel()
        _, late = await asyncio.wait(late, timeout=_AGAIN_SECONDS)
    return await asyncio.gather(*tasks, return_exceptions=True)


def _role(name: str) -> Any:
    module, _, function = ROLES[name].partition(":")
    return getattr(importlib.import_module(module), function)
