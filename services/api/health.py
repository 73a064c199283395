"""Is it alive, is it ready: for supervisors and load balancers, without a token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import psycopg
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from services.api.answers import as_json
from services.api.runtime import Runtime, runtime_of

ROUTER: Final = APIRouter(tags=["health"])
_PATIENCE_SECONDS: Final = 2.0
_RETRY: Final = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Check:
    """`look` answers with `ok` and whatever explains it. Without `counts` it is told, and does not make us unready."""

    look: Callable[[], Awaitable[Mapping[str, Any]]]
    counts: bool = True


class Alive(BaseModel):
    """The process answers."""

    alive: bool


class Readiness(BaseModel):
    """Whether requests will be served, and what is known of each thing that they need."""

    ready: bool
    role: str
    checks: dict[str, dict[str, Any]]


@ROUTER.get(
    "/livez",
    response_model=Alive,
)
async def livez() -> Response:
    """Does the process answer."""
    return as_json({"alive": True})


@ROUTER.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not ready; try again in a second."}},
)
async def readyz(request: Request, runtime: Annotated[Runtime, Depends(runtime_of)]) -> Response:
    """Will requests be served."""
    checks: dict[str, Check] = {"postgres": Check(lambda: _postgres(runtime)), **request.app.state.checks}
    found = dict(zip(checks, await asyncio.gather(*(_looked(check) for check in checks.values())), strict=True))
    is_ready = all(found[name]["ok"] for name, check in checks.items() if check.counts)
    body = {"ready": is_ready, "role": "api", "checks": found}
    return as_json(body) if is_ready else as_json(body, status=503, headers=_RETRY)


async def _looked(check: Check) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await check.look()
    except TimeoutError:
        return {"ok": False, "detail": f"no answer within {_PATIENCE_SECONDS:.0f} s"}
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        return {"ok": False, "detail": f"not reached ({type(error).__name__})"}


async def _postgres(runtime: Runtime) -> Mapping[str, Any]:
    await runtime.progress.now()
    return {"ok": True, "detail": "ok"}


def progress_checks(runtime: Runtime, prefix: str) -> dict[str, Check]:
    """What the databases tell of relay and projector when those are other processes."""

    async def relay() -> Mapping[str, Any]:
        async with runtime.record.connection() as connection:
            cursor = await connection.execute(
                "SELECT position, extract(epoch FROM clock_timestamp() - moved_at)::float8, record.head() "
                "FROM service.relay_cursor WHERE prefix = %s",
                (prefix,),
            )
            row = await cursor.fetchone()
        if row is None:
            return {"ok": False, "age_seconds": None, "detail": "nothing was ever published"}
        position, age, head = row
        return {"ok": position >= head, "age_seconds": round(max(0.0, age), 3), "position": position, "head": head}

    async def projector() -> Mapping[str, Any]:
        position, lag_seconds = await runtime.progress.now()
        return {"ok": lag_seconds < _BEHIND_SECONDS, "lag": round(lag_seconds, 3), "position": position}

    return {"relay": Check(relay, counts=False), "projector": Check(projector, counts=False)}


_BEHIND_SECONDS: Final = 10.0
