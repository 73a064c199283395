"""Small pieces of HTTP on bare ASGI: read a body within limits, answer, name a problem (RFC 9457)."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from channels.contract import Answer
from services.record.raw import new_raw_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = Sequence[tuple[bytes, bytes]]

MOST_HEADERS: Final = 100
_HEADER_BYTES: Final = 32 * 1024


class Refusal(Exception):
    """A request that no channel will see; becomes an `application/problem+json` answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """`code` ends the problem's type, `detail` is a sentence for whoever sent it."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class Gone(Exception):
    """The client closed the connection before its request was whole: nothing to answer, nothing was kept."""


def headers_of(scope: Scope) -> tuple[tuple[str, str], ...]:
    """The request's headers as text.

    Raises:
        Refusal: more or larger ones than any provider sends.
    """
    return texts_of(scope["headers"])


def texts_of(raw: RawHeaders) -> tuple[tuple[str, str], ...]:
    """As `headers_of`, for headers in hand."""
    size = 0
    for name, value in raw:
        size += len(name) + len(value)
    if len(raw) > MOST_HEADERS or size > _HEADER_BYTES:
        raise Refusal(431, "headers_too_large", f"At most {MOST_HEADERS} headers and {_HEADER_BYTES} bytes of them.")
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])


async def body_of(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        Refusal: it is longer than `limit` bytes.
        Gone: the client did not send all of it.
    """
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        if len(whole) <= limit:
            return whole
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def too_large(limit: int) -> Refusal:
    """For a body of more than `limit` bytes."""
    return Refusal(413, "body_too_large", f"This door takes bodies of up to {limit} bytes.")


class Reply(NamedTuple):
    """An answer with what the house adds to it."""

    answer: Answer
    request_id: UUID
    extra: RawHeaders = ()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """All of them, `Tamas-Request-Id` included."""
        given = self.answer
        headers = [
            (b"content-type", given.media_type.encode()),
            (b"content-length", b"%d" % len(given.body)),
            (b"tamas-request-id", str(self.request_id).encode()),
            *self.extra,
        ]
        for name, value in given.headers:
            headers.append((name.encode("latin-1"), value.encode("latin-1")))
        return headers


async def answer(send: Send, given: Answer, request_id: UUID, extra: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a channel's answer with `Tamas-Request-Id`."""
    headers = Reply(given, request_id, tuple(extra)).headers()
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})


def refused(refusal: Refusal) -> Reply:
    """What whoever sent it is told."""
    request_id = new_raw_id()
    retry = ((b"retry-after", b"5"),) if refusal.status in (429, 503) else ()
    return Reply(problem(refusal.status, refusal.code, refusal.detail, request_id), request_id, retry)


def problem(status: int, code: str, detail: str, request_id: UUID, **more: Any) -> Answer:
    """An error as `application/problem+json`."""
    body = {
        "type": f"urn:tamas:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": str(request_id),
        **more,
    }
    return Answer(status, orjson.dumps(body), "application/problem+json")


def as_json(status: int, body: Any, *headers: tuple[str, str]) -> Answer:
    """A JSON answer."""
    return Answer(status, orjson.dumps(body), "application/json", headers)
