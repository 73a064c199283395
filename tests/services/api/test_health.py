"""Alive, ready, limited, and what is said when the database is away."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.api.app import build, run
from services.api.health import Check
from services.limits import Limits
from services.settings import Settings
from tests.services.api.house import House, opened


async def test_ready_with_what_the_databases_tell(house: House) -> None:
    answer = await house.http.get("/readyz")
    body = answer.json()
    assert (answer.status_code, body["ready"], body["role"]) == (200, True, "api")
    assert body["checks"]["postgres"] == {"ok": True, "detail": "ok"}
    assert body["checks"]["projector"]["ok"] is True
    # No relay runs here: it is told, and does not count.
    assert body["checks"]["relay"]["ok"] is False
    assert (await house.http.get("/livez")).json() == {"alive": True}


async def test_a_check_that_counts(settings: Settings) -> None:
    async def broken() -> Mapping[str, Any]:
        return {"ok": False, "detail": "it is Friday"}

    app = build(settings, checks={"spool": Check(broken), "weather": Check(broken, counts=False)})
    async with app.router.lifespan_context(app), _client(app) as http:
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["checks"]["spool"] == {"ok": False, "detail": "it is Friday"}
    assert set(answer.json()["checks"]) == {"postgres", "spool", "weather"}


async def test_without_a_database_it_starts_and_says_so(settings: Settings) -> None:
    gone = "postgresql://nobody@127.0.0.1:1/none"
    app = build(settings.model_copy(update={"record_url": gone, "views_url": gone, "keys_url": gone}))
    async with app.router.lifespan_context(app), _client(app) as http:
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["postgres"]["ok"]) == (503, False)
        answer = await http.get("/api/v1/timeline?address=x", headers={"Authorization": "Bearer tamas_x"})
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "away", "1")
        assert (await http.get("/livez")).status_code == 200


async def test_before_the_read_model_is_filled(settings: Settings) -> None:
    async with opened(settings, projecting=False) as house:
        answer = await house.get("/api/v1/timeline", address="x")
    assert (answer.status_code, answer.json()["code"]) == (503, "being_filled")
    assert answer.headers["retry-after"]


async def test_too_many_requests(house: House) -> None:
    house.app.state.runtime.limits = Limits(1, 3, clock=lambda: 7.0)
    answers = [await house.get("/api/v1/inboxes") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (answers[3].json()["code"], answers[3].headers["retry-after"]) == ("too_many_requests", "1")
    assert (await house.get("/api/v1/inboxes", "integrator")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/api/v1/inboxes", 405), ("GET", "/api/v1/", 404)],
)
async def test_paths_that_are_not_there(house: House, method: str, path: str, status: int) -> None:
    answer = await house.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ("allow" in answer.headers) == (status == 405)


async def test_it_serves_on_a_free_port_until_it_is_told_to_stop(settings: Settings) -> None:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run(settings, "127.0.0.1", 0, stop, port.set_result))
    async with asyncio.timeout(10), httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{await port}/readyz")
        assert answer.status_code == 200
        stop.set()
        await serving


async def test_documents(house: House) -> None:
    openapi = (await house.http.get("/openapi.json")).json()
    assert openapi["openapi"].startswith("3.1")
    assert "/api/v1/timeline" in openapi["paths"]
    asyncapi = (await house.http.get("/asyncapi.json")).json()
    assert "interactions" in asyncapi["channels"]


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://tamas")
