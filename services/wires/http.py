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

# At each request httpx looks at every pair of idle connections of a client: with all in one, those were 2,800 looks
# a message.
_CLIENTS: Final = 8
_CONNECTIONS_EACH: Final = 8
# Shorter than servers and what stands before them keep a silent connection: a request into one that they are just
# closing would be in doubt.
_KEPT_SECONDS: Final = 4.0
_LONGEST_ANSWER_BYTES: Final = 1 << 20

_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
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
        timeout = httpx.Timeout(answer_seconds, connect=connect_seconds, pool=_TURN_SECONDS)
        limits = httpx.Limits(
            max_connections=_CONNECTIONS_EACH,
            max_keepalive_connections=_CONNECTIONS_EACH,
            keepalive_expiry=_KEPT_SECONDS,
        )
        verified = httpx.create_ssl_context()
        self._clients: Final = [
            httpx.AsyncClient(verify=verified, follow_redirects=False, timeout=timeout, limits=limits)
            for _ in range(_CLIENTS)
        ]
        self._running: Final = [0] * _CLIENTS

    async def post(self, url: str, *, body: bytes, headers: Sequence[tuple[str, str]]) -> HttpAnswer:
        """One request, never repeated by itself. Raises `Unsent`, `Unanswered`."""
        place = self._place()
        self._running[place] += 1
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS),
                self._clients[place].stream("POST", url, content=body, headers=list(headers)) as response,
            ):
                return HttpAnswer(response.status_code, _lowered(response.headers), await _bounded(response))
        except _NOT_SENT as error:
            raise Unsent(type(error).__name__) from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            raise Unanswered(type(error).__name__) from error
        finally:
            self._running[place] -= 1

    def _place(self) -> int:
        """The first client with a free connection, so that few connections are kept warm; else the least busy one."""
        for place, running in enumerate(self._running):
            if running < _CONNECTIONS_EACH:
                return place
        return self._running.index(min(self._running))

    async def close(self) -> None:
        """Close its connections."""
        for client in self._clients:
            await client.aclose()


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
