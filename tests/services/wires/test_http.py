"""Each way that a request can end, against real sockets: only what certainly was not sent is `Unsent`."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from channels.sending import Unanswered, Unsent
from services.embedded.process import free_port
from services.wires.http import HttpWire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEADERS = (("content-type", "text/plain"), ("x-one", "1"))


@asynccontextmanager
async def serving(serve: Serve) -> AsyncGenerator[str]:
    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
async def wire() -> AsyncGenerator[HttpWire]:
    made = HttpWire(answer_seconds=0.5, connect_seconds=0.5)
    yield made
    await made.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return head + await reader.readexactly(length)


def _answers(answer: bytes, seen: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = await _request(reader)
        if seen is not None:
            seen.append(found)
        writer.write(answer)
        await writer.drain()

    return serve


async def test_an_answer_has_its_status_headers_and_body(wire: HttpWire) -> None:
    seen = list[bytes]()
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 2\r\n\r\n{}"
    async with serving(_answers(answer, seen)) as host:
        found = await wire.post(f"http://{host}/a?b=c", body=b"hello", headers=HEADERS)
    assert (found.status, found.body) == (429, b"{}")
    assert [value for name, value in found.headers if name in {"retry-after", "x-two"}] == ["7", "a", "b"]
    (request,) = seen
    assert request.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\nhello")
    assert b"x-one: 1" in request


async def test_a_redirect_is_an_answer(wire: HttpWire) -> None:
    seen = list[bytes]()
    answer = b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    async with serving(_answers(answer, seen)) as host:
        assert (await wire.post(f"http://{host}/", body=b"", headers=())).status == 307
    assert len(seen) == 1


async def test_of_an_endless_answer_the_beginning_is_read(wire: HttpWire) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 Ok\r\n\r\n")
        for _ in range(64):
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with serving(serve) as host:
        assert len((await wire.post(f"http://{host}/", body=b"", headers=())).body) == 1 << 20


async def test_nobody_listens_there(wire: HttpWire) -> None:
    with pytest.raises(Unsent):
        await wire.post(f"http://127.0.0.1:{free_port()}/", body=b"x", headers=())


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/", "ftp://127.0.0.1/", "nonsense", "http://[::1"])
async def test_a_place_that_is_none(wire: HttpWire, url: str) -> None:
    with pytest.raises(Unsent):
        await wire.post(url, body=b"x", headers=())


async def test_who_listens_speaks_no_tls(wire: HttpWire) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 what?\r\n")
        await writer.drain()

    async with serving(serve) as host:
        with pytest.raises(Unsent) as unsent:
            await wire.post(f"https://{host}/", body=b"x", headers=())
    assert "SSL" in str(unsent.value.__cause__)


async def test_a_tls_handshake_that_never_ends(wire: HttpWire) -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with serving(serve) as host:
        with pytest.raises(Unsent):
            await wire.post(f"https://{host}/", body=b"x", headers=())


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 20", b"nonsense\r\n\r\n", b"HTTP/1.1 201 Ok\r\nContent-Length: 100\r\n\r\n{"]
)
async def test_the_answer_breaks_off(wire: HttpWire, answer: bytes) -> None:
    async with serving(_answers(answer)) as host:
        with pytest.raises(Unanswered):
            await wire.post(f"http://{host}/", body=b"x", headers=())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 201 Ok\r\nContent-Length: 100\r\n\r\n{"])
async def test_the_answer_never_comes(wire: HttpWire, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(answer)
        await reader.read(-1)

    async with serving(serve) as host:
        with pytest.raises(Unanswered):
            await wire.post(f"http://{host}/", body=b"x", headers=())


async def test_the_request_is_cut_in_its_middle(wire: HttpWire) -> None:
    """It may have been enough for whoever reads it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with serving(serve) as host:
        with pytest.raises(Unanswered):
            await wire.post(f"http://{host}/", body=b"x" * 20_000_000, headers=())


async def test_connections_are_kept(wire: HttpWire) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(5):
            await _request(reader)
            writer.write(b"HTTP/1.1 200 Ok\r\nContent-Length: 2\r\n\r\n{}")

    async with serving(serve) as host, serving(serve) as other:
        for _ in range(5):
            await wire.post(f"http://{host}/", body=b"x", headers=())
            await wire.post(f"http://{other}/", body=b"x", headers=())
    assert connections == 2


async def test_more_at_once_than_there_are_connections() -> None:
    waiting, all_there = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        while True:
            await _request(reader)
            waiting += 1
            if waiting == 64:
                all_there.set()
            await all_there.wait()
            writer.write(b"HTTP/1.1 200 Ok\r\nContent-Length: 2\r\n\r\n{}")

    wire = HttpWire()
    async with serving(serve) as host:
        posts = [wire.post(f"http://{host}/", body=b"x", headers=()) for _ in range(70)]
        assert {answer.status for answer in await asyncio.gather(*posts)} == {200}
        await wire.close()
    assert waiting == 70


async def test_a_proxy_is_used_and_its_refusal_is_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(serve) as host:
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://{host}")
        wire = HttpWire()
        with pytest.raises(Unsent):
            await wire.post("https://api.example/", body=b"x", headers=())
        await wire.close()
    assert seen[0].startswith(b"CONNECT api.example:443 ")
