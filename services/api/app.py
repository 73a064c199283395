"""The API as an application: routers, problems, documents, and the process that serves it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from services.api import (
    conversations,
    documents,
    events,
    health,
    inboxes,
    interactions,
    messages,
    parked,
    preferences,
    problems,
    search,
    stream,
    timeline,
    turns,
)
from services.api.edge import Edge
from services.api.health import Check, progress_checks
from services.api.runtime import Runtime
from services.limits import Limits
from services.serve import address_of, bound, serve
from services.settings import Settings

_ROUTERS: Final[tuple[APIRouter, ...]] = (
    timeline.ROUTER,
    interactions.ROUTER,
    conversations.ROUTER,
    messages.ROUTER,
    turns.ROUTER,
    search.ROUTER,
    inboxes.ROUTER,
    stream.ROUTER,  # before the events, of which one would be named `stream`
    events.ROUTER,
    parked.ROUTER,
    preferences.ROUTER,
    health.ROUTER,
)


def build(settings: Settings, *, checks: Mapping[str, Check] | None = None, limits: Limits | None = None) -> FastAPI:
    """The application; it connects in its lifespan. `checks` are told by /readyz beside PostgreSQL's.

    Without `checks` relay and projector are judged by what the databases tell of them. Raises `Misconfigured`.
    """
    runtime = Runtime(settings, limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with runtime.opened():
            yield

    app = FastAPI(
        title=documents.TITLE,
        version=documents.VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.runtime = runtime
    app.state.checks = dict(progress_checks(runtime, settings.topic_prefix) if checks is None else checks)
    for router in _ROUTERS:
        app.include_router(router)
    documents.install(app, settings)
    problems.install(app)
    app.add_middleware(Edge)
    return app


def openapi_document() -> dict[str, Any]:
    """What /openapi.json answers, without an installation."""
    app = FastAPI()
    for router in (*_ROUTERS, documents.ROUTER):
        app.include_router(router)
    return documents.document(app)


async def run(
    settings: Settings,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[int], None],
    *,
    checks: Mapping[str, Check] | None = None,
) -> None:
    """Serve until `stop`; `ready` is told the port, also when it was 0.

    Raises:
        Misconfigured: no sealing key.
        OSError: somebody listens there.
    """
    app = build(settings, checks=checks)
    runtime: Runtime = app.state.runtime
    taken = bound(f"{host}:{port}")
    async with app.router.lifespan_context(app):
        ready(int(address_of(taken).rpartition(":")[2]))
        ending = asyncio.create_task(_end_streams(runtime, stop))
        await serve(app, taken, stop)
        ending.cancel()


async def run_role(settings: Settings, stop: asyncio.Event, ready: Callable[[dict[str, str]], None]) -> None:
    """As one role of a process: on TAMAS_API_LISTEN, else on TAMAS_HTTP_LISTEN."""
    host, _, port = (settings.api_listen or settings.http_listen).rpartition(":")
    await run(settings, host, int(port), stop, lambda taken: ready({"api": f"http://{host}:{taken}"}))


async def _end_streams(runtime: Runtime, stop: asyncio.Event) -> None:
    await stop.wait()
    runtime.closing.set()
