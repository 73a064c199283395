"""Who is let in at a chat's door, and what its page and script look like from outside."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.ingress.chat_limits import Crowd
from services.ingress.direct import Direct
from services.settings import Settings
from services.tenancy.store import Tenancy
from tests.services.ingress.chats import Chats, code_of, proof_of, running_chats, socket_of, visit

SCRIPT_BYTES = 15_000
HELLO = json.dumps({"t": "hello", "visitor": None, "proof": None, "after": 0})


@pytest.fixture
async def chats(settings: Settings) -> AsyncGenerator[Chats]:
    async with running_chats(settings) as made:
        yield made


class _Short:
    """A keep-alive of a fifth of a second, whatever uvicorn sets."""

    def __get__(self, _: object, __: object) -> float:
        return 0.2

    def __set__(self, _: object, __: object) -> None:
        pass


async def _code(url: str, **headers: str) -> int:
    """What a socket is closed with, or the status that refused it; 0 when it is let in."""
    try:
        async with socket_of(url, **headers) as socket:
            await socket.send(HELLO)
            await asyncio.wait_for(socket.recv(), 20)
    except ConnectionClosed as closed:
        return code_of(closed)
    except InvalidStatus as refused:
        return refused.response.status_code
    return 0


async def _changed(chats: Chats, settings: dict[str, str], secrets: dict[str, str], grace: timedelta) -> None:
    await asyncio.to_thread(chats.change, settings, secrets, grace)
    await asyncio.sleep(1.2)  # the edges look twice a second


async def test_unknown_and_closed_chats(chats: Chats) -> None:
    assert await _code(f"{chats.https[0]}/chat/nobody/socket") == 4404
    assert await _code(chats.path("/elsewhere")) == 4404
    with Tenancy(chats.settings) as tenancy:
        tenancy.disable("shop", chats.inbox_id)
    await asyncio.sleep(1.2)
    assert await _code(chats.path()) == 4404
    async with httpx.AsyncClient() as web:
        assert (await web.get(chats.path(""))).status_code == 404
        assert (await web.get(chats.path("/widget.js"))).status_code == 404


async def test_only_named_sites_are_let_in(chats: Chats) -> None:
    assert await _code(chats.path(), origin="https://anything.example") == 0
    await _changed(chats, {"origins": "https://shop.example"}, {}, timedelta())
    assert await _code(chats.path(), origin="https://shop.example") == 0
    assert await _code(chats.path(), origin=chats.https[0]) == 0, "our own page"
    assert await _code(chats.path(), origin="https://evil.example") == 403
    assert await _code(chats.path()) == 403
    await asyncio.sleep(1)
    assert chats.count("SELECT count(*) FROM service.requests WHERE result = 'refused'") == 2


async def test_a_key_may_be_changed_while_the_one_before_still_passes(chats: Chats) -> None:
    old, new = proof_of("42"), proof_of("42", "the proof key after this one")
    await _changed(chats, {}, {"proof_key": "the proof key after this one"}, timedelta(hours=1))
    for proof in (old, new):
        async with visit(chats, "42", proof) as sara:
            assert sara.welcome["visitor"] == "42"
    await _changed(chats, {}, {"proof_key": "and another key after that"}, timedelta())
    for proof in (old, new):
        async with visit(chats, "42", proof) as forger:
            assert await forger.closing() == 4401


async def test_the_subprotocol_has_to_be_offered(chats: Chats) -> None:
    async with httpx.AsyncClient() as web:
        answer = await web.get(chats.path())
        assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")
        handshake = {
            "connection": "upgrade",
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        answer = await web.get(chats.path(), headers=handshake)
        assert (answer.status_code, answer.json()["code"]) == (400, "subprotocol")
        answer = await web.get(f"{chats.https[0]}/api/v1/timeline", headers=handshake)
        assert answer.status_code == 404


async def test_the_page_runs_nothing_but_the_script(chats: Chats) -> None:
    async with httpx.AsyncClient() as web:
        page, script = await web.get(chats.path("")), await web.get(chats.path("/widget.js"))
        style = await web.get(f"{chats.https[0]}/chat/style.css")
        persian = await web.get(chats.path("?language=fa"))
        posted = await web.post(chats.path(""), content=b"x")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f'src="/chat/{chats.key}/widget.js"' in page.text
    assert "&lt;script async src=" in page.text
    assert '<html lang="fa" dir="rtl">' in persian.text
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) < SCRIPT_BYTES
    assert re.findall(r"\w+://[^']+", script.text) == ["http://www.w3.org/2000/svg"], "it loads nothing else"
    assert style.status_code == 200
    assert posted.status_code == 405


async def test_one_source_has_so_many_sockets(chats: Chats, monkeypatch: pytest.MonkeyPatch) -> None:
    async with visit(chats) as sara:
        monkeypatch.setattr(Crowd, "joined", Crowd(per_source=0).joined)
        assert await _code(chats.path()) == 4429
        assert (await sara.writes("still here"))["number"] == 1


async def test_a_connection_that_carried_requests_before_is_no_less_a_socket(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Direct, "timeout_keep_alive", _Short(), raising=False)
    host, _, port = chats.https[0].removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b'{"alive":true}')
    writer.write(
        f"GET /chat/{chats.key}/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Protocol: tamas.chat.v1\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await asyncio.sleep(1.5)
    writer.write(b"\x89\x80\0\0\0\0")  # a ping, masked with zeros
    assert await asyncio.wait_for(reader.readexactly(2), 10) == b"\x8a\0"
    writer.close()


def test_a_crowd_has_room_again() -> None:
    crowd, inbox, other = Crowd(per_inbox=2, per_source=1), uuid4(), uuid4()
    asked = ((inbox, "a"), (inbox, "a"), (inbox, "b"), (inbox, "c"), (other, "d"))
    with ExitStack() as stack:
        assert [stack.enter_context(crowd.joined(*one)) for one in asked] == [True, False, True, False, True]
    with crowd.joined(inbox, "a") as again:
        assert again
