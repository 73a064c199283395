"""What the door does not serve itself goes to the process behind it, streamed both ways (httpx)."""

from collections.abc import AsyncIterator
from typing import Final

import httpx

from services.ingress.http import Receive, Refusal, Scope, Send

# RFC 9110 section 7.6.1: these belong to one connection.
_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"upgrade", b"host")
)  # fmt: skip


class Behind:
    """An ASGI application that hands requests to another HTTP server on this machine."""

    def __init__(self, url: str) -> None:
        """`url` is the server's root, as `http://127.0.0.1:8081`."""
        limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
        timeout = httpx.Timeout(10, read=None, pool=5)
        self._client: Final = httpx.AsyncClient(base_url=url, limits=limits, timeout=timeout, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request. Raises `Refusal` (503) when nobody answers behind."""
        query = scope["query_string"].decode("latin-1")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        request = self._client.build_request(
            scope["method"],
            f"{path}?{query}" if query else path,
            headers=[(name, value) for name, value in scope["headers"] if name not in _HOP],
            content=_body(receive) if _has_body(scope) else None,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise Refusal(503, "away", "The API does not answer at the moment, please try again.") from error
        try:
            headers = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in _HOP]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async for part in response.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


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
