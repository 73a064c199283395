"""What passes through to the API behind the edge: as it was sent, both ways, and while it is still coming."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson

from services.ingress.http import App, Receive, Refusal, Scope, Send
from services.ingress.proxy import Behind
from services.serve import address_of, bound, serve


async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was asked; `/slow` sends a first part and waits for ever."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        "body": body.decode(),
    }
    status = 303 if scope["path"] == "/moved" else 200
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"location", b"/elsewhere"), (b"x-own", b"kept")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(told), "more_body": True})
    if scope["path"] == "/slow":
        await asyncio.Event().wait()
    await send({"type": "http.response.body"})


@asynccontextmanager
async def through() -> AsyncGenerator[httpx.AsyncClient]:
    stop = asyncio.Event()
    inner, outer = bound("127.0.0.1:0"), bound("127.0.0.1:0")
    behind = Behind(f"http://{address_of(inner)}")
    serving = [asyncio.create_task(serve(app, taken, stop)) for app, taken in ((api, inner), (behind, outer))]
    async with httpx.AsyncClient(base_url=f"http://{address_of(outer)}") as client:
        yield client
    stop.set()
    await behind.close()
    await asyncio.gather(*serving)


async def test_a_request_arrives_as_it_was_sent() -> None:
    async with through() as client:
        path = "/api/v1/timeline?address=tel:%2B98912&x=a%20b&x=c+d"
        told = (await client.get(path, headers={"authorization": "Bearer t", "x-twice": "1, 2"})).json()
    assert (told["method"], told["path"], told["query"]) == (
        "GET",
        "/api/v1/timeline",
        "address=tel:%2B98912&x=a%20b&x=c+d",
    )
    assert (told["headers"]["authorization"], told["headers"]["x-twice"]) == ("Bearer t", "1, 2")
    assert told["headers"]["user-agent"].startswith("python-httpx"), "the client's own words, not the proxy's"
    assert "content-type" not in told["headers"]


async def test_a_path_stays_spelt_as_it_was() -> None:
    async with through() as client:
        told = (await client.get("/api/v1/attachments/a%2Fb%25c")).json()
    assert told["path"] == "/api/v1/attachments/a%2Fb%25c"


async def test_bodies_pass_with_a_length_and_in_chunks() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"part %d;" % number

    async with through() as client:
        whole = (await client.post("/x", content=b"{}", headers={"content-type": "application/json"})).json()
        chunked = (await client.post("/x", content=parts())).json()
    assert (whole["body"], whole["headers"]["content-length"]) == ("{}", "2")
    assert whole["headers"]["content-type"] == "application/json"
    assert chunked["body"] == "part 0;part 1;part 2;part 3;part 4;"


async def test_an_answer_passes_as_it_is() -> None:
    async with through() as client:
        answer = await client.get("/moved")
    assert (answer.status_code, answer.headers["location"], answer.headers["x-own"]) == (303, "/elsewhere", "kept")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_a_stream_is_read_while_it_comes() -> None:
    async with through() as client, client.stream("GET", "/slow") as answer:
        async for part in answer.aiter_raw():
            assert b'"/slow"' in part
            break


async def test_nobody_behind_is_told() -> None:
    taken = bound("127.0.0.1:0")
    address = address_of(taken)
    taken.close()
    behind = Behind(f"http://{address}")
    assert await refusal_of(behind) == (503, "away")
    await behind.close()


async def refusal_of(app: App) -> tuple[int, str]:
    scope: Scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}

    async def receive() -> Scope:
        raise AssertionError

    async def send(_: Scope) -> None:
        raise AssertionError

    try:
        await app(scope, receive, send)
    except Refusal as refusal:
        return refusal.status, refusal.code
    raise AssertionError
