"""What HTTP allows a provider to do with a connection, on the short way that hooks and short forms take."""

import asyncio
import json
from collections.abc import AsyncGenerator
from urllib.parse import urlencode

import pytest

from channels.signing import sign_twilio
from services.settings import Settings
from tests.services.ingress.edge import AUTH_TOKEN, Edge, running_edge


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


def _signed(edge: Edge, sid: str) -> tuple[bytes, bytes]:
    params = {"MessageSid": sid, "From": "+989121234567", "To": "+982191001234", "Body": "سلام"}
    signature = sign_twilio(AUTH_TOKEN, edge.http + edge.sms_path, list(params.items()))
    head = f"Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: {signature}\r\n"
    return head.encode(), urlencode(params).encode()


def _post(edge: Edge, sid: str, more: str = "", version: str = "1.1") -> bytes:
    head, body = _signed(edge, sid)
    start = f"POST {edge.sms_path} HTTP/{version}\r\n{more}Content-Length: {len(body)}\r\n"
    return start.encode() + head + b"\r\n" + body


async def _opened(edge: Edge) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = edge.http.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(10):
        for _ in range(count):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            found.append(head + await reader.readexactly(length))
    return found


async def test_one_connection_carries_many_requests(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    for number in range(3):
        writer.write(_post(edge, f"SM{number}"))
        (answer,) = await _answers(reader, 1)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"tamas-result: accepted" in answer
    writer.close()


async def test_requests_that_do_not_wait_for_answers_are_answered_in_order(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    writer.write(
        _post(edge, "SM1") + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + _post(edge, "SM2") + _post(edge, "SM1")
    )
    first, alive, second, again = await _answers(reader, 4)
    assert b"tamas-result: accepted" in first
    assert alive.endswith(b'{"alive":true}')
    assert b"tamas-result: accepted" in second
    assert b"tamas-result: duplicate" in again
    writer.close()


async def test_a_body_may_come_in_pieces_and_in_chunks(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    whole = _post(edge, "SM1")
    for at in range(0, len(whole), 100):
        writer.write(whole[at : at + 100])
        await asyncio.sleep(0.002)
    head, body = _signed(edge, "SM2")
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    writer.write(f"POST {edge.sms_path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n".encode() + head + b"\r\n" + chunk)
    assert all(b"tamas-result: accepted" in answer for answer in await _answers(reader, 2))
    writer.close()


@pytest.mark.parametrize(("more", "version"), [("Connection: close\r\n", "1.1"), ("", "1.0")])
async def test_who_wants_the_connection_closed_has_it_closed(edge: Edge, more: str, version: str) -> None:
    reader, writer = await _opened(edge)
    writer.write(_post(edge, "SM1", more, version))
    answer = await asyncio.wait_for(reader.read(), 10)
    assert b"tamas-result: accepted" in answer
    writer.close()


async def test_expect_continue_is_told_to_go_on(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    head, _, body = _post(edge, "SM1", "Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    writer.write(body)
    (answer,) = await _answers(reader, 1)
    assert b"tamas-result: accepted" in answer
    writer.close()


async def test_who_leaves_before_the_answer_is_kept_all_the_same(edge: Edge) -> None:
    _, writer = await _opened(edge)
    writer.write(_post(edge, "SM1"))
    await writer.drain()
    writer.close()
    await edge.until("SELECT count(*) FROM record.raw", 1)


async def test_half_a_request_is_nothing(edge: Edge) -> None:
    _, writer = await _opened(edge)
    writer.write(_post(edge, "SM1")[:-5])
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.1)
    assert edge.count("SELECT count(*) FROM record.raw") == 0


def _form(path: str, text: str, more: str = "") -> bytes:
    body = json.dumps({"name": "Sara", "contact": "+989121234567", "message": text}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_connection_carries_forms_and_hooks_in_any_order(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    for post in (_form(edge.form_path, "one"), _post(edge, "SM1"), _form(edge.form_path, "two")):
        writer.write(post)
        (answer,) = await _answers(reader, 1)
        assert b"tamas-result: accepted" in answer
    writer.write(_form(edge.form_path, "three") + _form(edge.form_path, "one") + _post(edge, "SM2"))
    third, again, last = await _answers(reader, 3)
    assert third.startswith(b"HTTP/1.1 202 ")
    assert b"tamas-result: duplicate" in again
    assert last.endswith(b"<Response/>")
    writer.close()


async def test_a_form_is_the_same_however_its_path_and_length_are_written(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    head, _, body = _form(edge.form_path, "one").partition(b"\r\n\r\n")
    chunked = head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    quoted = edge.form_path.replace("forms", "%66orms")
    posts = (head + b"\r\n\r\n" + body, chunked + b"\r\n\r\n" + chunks, _form(quoted, "one"))
    found: list[bytes] = []
    for post in (*posts, _form(f"{edge.form_path}?from=ad", "one")):
        writer.write(post)
        found += await _answers(reader, 1)
    assert len({answer.partition(b"\r\n\r\n")[2] for answer in found}) == 1
    assert [b"tamas-result: duplicate" in answer for answer in found] == [False, True, True, True]
    writer.close()


async def test_a_form_that_is_not_there_or_has_too_many_headers_is_refused_in_words(edge: Edge) -> None:
    reader, writer = await _opened(edge)
    writer.write(_form("/forms/nobody", "one"))
    (answer,) = await _answers(reader, 1)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"urn:tamas:problem:not_found" in answer
    writer.write(_form(edge.form_path, "one", "X-A: b\r\n" * 101))
    (answer,) = await _answers(reader, 1)
    assert answer.startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_fault_of_ours_is_answered_and_the_connection_closed(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("services.ingress.hooks.texts_of", fail)
    reader, writer = await _opened(edge)
    writer.write(_post(edge, "SM1"))
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 500 ")
    writer.close()
