"""What the door does not serve itself goes to the process behind it, streamed both ways.

By aiohttp: a request costs the loop of the intake a tenth of what it costs with httpx.
"""

from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from yarl import URL

from services.ingress.http import Receive, Refusal, Scope, Send

# RFC 9110 section 7.6.1: these belong to one connection.
_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"upgrade", b"host")
)  # fmt: skip
_OWN: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that the client library would add of its own."""


class Behind:
    """An ASGI application that hands requests to another HTTP server on this machine."""

    def __init__(self, url: str) -> None:
        """`url` is the server's root, as `http://127.0.0.1:8081`. Made in the loop that it serves."""
        self._url: Final = url
        self._client: Final = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=500),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            auto_decompress=False,
            skip_auto_headers=_OWN,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request. Raises `Refusal` (503) when nobody answers behind."""
        query = scope["query_string"].decode("latin-1")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        asked = self._client.request(
            scope["method"],
            URL(f"{self._url}{path}?{query}" if query else f"{self._url}{path}", encoded=True),
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in scope["headers"]
                if name not in _HOP
            ],
            data=_body(receive) if _has_body(scope) else None,
            allow_redirects=False,
        )
        try:
            response = await asked
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refusal(503, "away", "The API does not answer at the moment, please try again.") from error
        async with response:
            headers = [(name.lower(), value) for name, value in response.raw_headers if name.lower() not in _HOP]
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            async for part in response.content.iter_any():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
