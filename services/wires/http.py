"""The way out over HTTP: one request, whose end is one of three: answered, never sent, or nobody knows."""

import asyncio
from collections.abc import Sequence
from typing import Final

import httpx

from channels.sending import HttpAnswer, Unanswered, Unsent

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 20.0
_WHOLE_SECONDS: Final = 60.0
"""After that long nobody waits any more, however an answer trickles in."""

_TURN_SECONDS: Final = 10.0
"""How long a request waits for one of the connections."""

# At each request httpx looks at every pair of a client's connections, and asks the kernel about each idle one: so each
# connection has a client to itself.
_CONNECTIONS: Final = 64
# Shorter than servers and what stands before them keep a silent connection: a request into one that they are just
# closing would be in doubt.
_KEPT_SECONDS: Final = 4.0
_LONGEST_ANSWER_BYTES: Final = 1 << 20
_NOWHERE: Final[list[str]] = []

_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


class HttpWire:
    """`channels.sending.Http` on httpx. HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are honoured; TLS is always verified.

    One per process, for tasks of one loop.
    """

    def __init__(self, *, answer_seconds: float = _ANSWER_SECONDS, connect_seconds: float = _CONNECT_SECONDS) -> None:
        """`answer_seconds`: the longest silence after the request."""
        timeout = httpx.Timeout(answer_seconds, connect=connect_seconds)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEPT_SECONDS)
        verified = httpx.create_ssl_context()
        self._clients: Final = [
            httpx.AsyncClient(verify=verified, follow_redirects=False, timeout=timeout, limits=limits)
            for _ in range(_CONNECTIONS)
        ]
        self._turns: Final = asyncio.Semaphore(_CONNECTIONS)
        self._free: Final = [(_NOWHERE, client) for client in self._clients]

    async def post(self, url: str, *, body: bytes, headers: Sequence[tuple[str, str]]) -> HttpAnswer:
        """One request, never repeated by itself. Raises `Unsent`, `Unanswered`."""
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unsent("no connection was free") from error
        origin = url.split("/", 3)[:3]
        client = self._taken(origin)
        try:
            return await _posted(client, url, body, headers)
        finally:
            self._free.append((origin, client))
            self._turns.release()

    def _taken(self, origin: list[str]) -> httpx.AsyncClient:
        """That which was there last, so that few connections are kept warm; else the one that rested longest."""
        for place in range(len(self._free) - 1, -1, -1):
            if self._free[place][0] == origin:
                return self._free.pop(place)[1]
        return self._free.pop(0)[1]

    async def close(self) -> None:
        """Close its connections."""
        for client in self._clients:
            await client.aclose()


async def _posted(client: httpx.AsyncClient, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> HttpAnswer:
    try:
        async with (
            asyncio.timeout(_WHOLE_SECONDS),
            client.stream("POST", url, content=body, headers=list(headers)) as response,
        ):
            return HttpAnswer(response.status_code, _lowered(response.headers), await _bounded(response))
    except _NOT_SENT as error:
        raise Unsent(type(error).__name__) from error
    except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
        raise Unanswered(type(error).__name__) from error


async def _bounded(response: httpx.Response) -> bytes:
    """The body's first MiB: nothing that a provider says of one message is longer."""
    held = bytearray()
    async for piece in response.aiter_bytes():
        held += piece
        if len(held) >= _LONGEST_ANSWER_BYTES:
            break
    return bytes(held[:_LONGEST_ANSWER_BYTES])


def _lowered(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in headers.multi_items())
