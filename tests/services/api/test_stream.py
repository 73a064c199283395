"""Server-sent events over a real socket."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.api import stream
from services.tenancy.tokens import add_token, revoke_token
from tests.services.api.house import House
from tests.services.api.server import socket_of

PATH = "/api/v1/events/stream"


@asynccontextmanager
async def served(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    async with socket_of(house) as url, httpx.AsyncClient(base_url=url, timeout=10) as http:
        yield http


async def frames(answer: httpx.Response) -> AsyncGenerator[tuple[str, Any]]:
    """(id, data) of each frame; data None where there is none."""
    found: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        else:
            yield found.get("id", ""), json.loads(found["data"]) if "data" in found else None
            found = {}


async def _take(given: AsyncIterator[tuple[str, Any]], count: int) -> list[tuple[str, Any]]:
    async with asyncio.timeout(8):
        return [await anext(given) for _ in range(count)]


async def test_events_come_as_they_are_recorded(house: House) -> None:
    async with served(house) as http, http.stream("GET", PATH, headers=house.as_role("subscriber")) as answer:
        given = frames(answer)
        ((start, nothing),) = await _take(given, 1)
        await house.say("theirs", tenant="rival")
        await house.say("یک")
        ((position, event),) = await _take(given, 1)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert nothing is None
    assert event["data"]["personal"]["text"] == "یک"
    assert int(position) > int(start)
    assert event["position"] == position


async def test_it_goes_on_after_the_last_event_that_was_seen(house: House) -> None:
    await house.say("a", "b", "c", "d")
    headers = house.as_role("subscriber")
    async with served(house) as http:
        asked = {"topic": "interactions", "after": 0}
        async with http.stream("GET", PATH, headers=headers, params=asked) as answer:
            seen = (await _take(frames(answer), 3))[1:]
        again = {**headers, "Last-Event-ID": seen[-1][0]}
        async with http.stream("GET", PATH, headers=again, params=asked) as answer:
            seen += (await _take(frames(answer), 3))[1:]
    assert [event["data"]["personal"]["text"] for _, event in seen] == ["a", "b", "c", "d"]


async def test_a_heartbeat_moves_the_position(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)
    headers = house.as_role("subscriber")
    async with served(house) as http, http.stream("GET", PATH, headers=headers) as answer:
        given = frames(answer)
        ((start, _),) = await _take(given, 1)
        await house.say("theirs", tenant="rival")
        beats = await _take(given, 3)
    assert all(event is None for _, event in beats)
    assert int(beats[-1][0]) == int(start) + 1


async def test_streams_are_counted_and_given_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_OF_A_TOKEN", 1)
    headers = house.as_role("subscriber")
    async with served(house) as http:
        async with http.stream("GET", PATH, headers=headers) as first:
            # By name: an iterator that nobody holds closes its stream.
            held = frames(first)
            await _take(held, 1)
            second = await http.get(PATH, headers=headers)
            assert (second.status_code, second.headers["retry-after"]) == (429, "15")
            assert second.json()["code"] == "too_many_requests"
        async with asyncio.timeout(5):
            while house.app.state.runtime.streams:  # noqa: ASYNC110 - the other side of a socket tells nothing
                await asyncio.sleep(0.02)
        async with http.stream("GET", PATH, headers=headers) as third:
            assert third.status_code == 200


async def test_a_revoked_token_gets_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.5)
    token, secret = add_token(house.settings.record_url, "shop", "gone", "subscriber", None)
    headers = {"Authorization": f"Bearer {secret}"}
    async with served(house) as http, http.stream("GET", PATH, headers=headers) as answer:
        given = frames(answer)
        await _take(given, 1)
        revoke_token(house.settings.record_url, "shop", token.token_id)
        async with asyncio.timeout(8):
            rest = [frame async for frame in given]
    assert all(event is None for _, event in rest)


async def test_a_stream_ends_with_its_process(house: House) -> None:
    async with served(house) as http, http.stream("GET", PATH, headers=house.as_role("subscriber")) as answer:
        given = frames(answer)
        await _take(given, 1)
        house.app.state.runtime.closing.set()
        async with asyncio.timeout(2):
            assert not [event async for _, event in given if event is not None]


@pytest.mark.parametrize("written", ["x", "-1", "99999999999999999999"])
async def test_what_is_no_position(house: House, written: str) -> None:
    headers = {**house.as_role("subscriber"), "Last-Event-ID": written}
    assert (await house.http.get(PATH, headers=headers)).status_code == 400
