"""TAMAS_METRICS_LISTEN: a port of its own for Prometheus, without a token, for a private network."""

import asyncio
import errno
import logging
from typing import Any, Final

import structlog

from services.metrics.machine import gathered, told
from services.metrics.meters import Meters
from services.metrics.page import Page
from services.pause import pause
from services.settings import Settings

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_AGAIN_SECONDS: Final = 2.0
_LOG: Final = structlog.get_logger("metrics")


async def run(settings: Settings, meters: Meters, stop: asyncio.Event) -> None:
    """Tell this process's numbers until `stop`; and those of the whole machine, where a port for that is set.

    The first process takes the port, the others wait for it: a scrape outlives any of them.
    """
    async with told(settings.data, meters.role, Page(meters)):
        waits = False
        while settings.metrics_listen and not stop.is_set():
            try:
                await _serve(settings, stop)
            except (OSError, ValueError) as error:
                if not waits:
                    is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
                    # By another process of ours, as a rule.
                    level = logging.INFO if is_taken else logging.ERROR
                    _LOG.log(level, "metrics are not served here", on=settings.metrics_listen, why=str(error))
                waits = True
            await pause(stop, _AGAIN_SECONDS)
        await stop.wait()


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    from services.serve import bound, serve  # noqa: PLC0415 - uvicorn, only where the port is wanted

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        status, page = (200, await gathered(settings.data)) if scope["path"] == "/metrics" else (404, "See /metrics.\n")
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": page.encode()})

    await serve(app, bound(settings.metrics_listen), stop)
