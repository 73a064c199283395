"""One way to serve ASGI: uvicorn on uvloop and httptools, told by us when to stop."""

import asyncio
import contextlib
import socket
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    """Signals belong to the process, not to one of its servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave them alone."""
        yield


def bound(address: str) -> socket.socket:
    """A listening socket on `host:port`; port 0 takes a free one.

    Raises:
        OSError: somebody listens there, or the host is not ours.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((host.strip("[]"), int(port)))
    taken.listen(2048)
    taken.setblocking(False)
    return taken


def address_of(taken: socket.socket) -> str:
    """`host:port` of a bound socket."""
    host, port = taken.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve(
    app: Any, taken: socket.socket, stop: asyncio.Event, *, http: Any = "httptools", frame_bytes: int = 0
) -> None:
    """Serve until `stop`, then let requests in hand end for at most five seconds. `http`: another protocol of ours.

    Web sockets are taken where `frame_bytes` says how long a message of theirs may be; a ping every 20 s finds those
    that nobody holds any more.
    """
    config = uvicorn.Config(
        app,
        http=http,
        ws="websockets-sansio" if frame_bytes else "none",
        ws_max_size=frame_bytes,
        # Compressing short texts saves little and holds memory for each connection.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
        backlog=2048,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
