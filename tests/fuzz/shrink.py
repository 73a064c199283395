"""The smallest request that still shows a fault, and where it is kept."""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from channels.contract import InboundRequest

KEPT: Final = Path("build/fuzz")
_CPU_SECONDS: Final = 30.0

Shows = Callable[[InboundRequest], bool]


def smallest(request: InboundRequest, shows: Shows) -> InboundRequest:
    """Take away what is not needed for it: from halves of the body to single bytes, then headers. 30 s of CPU."""
    until = time.process_time() + _CPU_SECONDS
    request = _body(request, shows, until)
    for pair in request.headers:
        fewer = replace(request, headers=tuple(other for other in request.headers if other != pair))
        if time.process_time() < until and shows(fewer):
            request = fewer
    return request


def _body(request: InboundRequest, shows: Shows, until: float) -> InboundRequest:
    size = max(1, len(request.body) // 2)
    while True:
        request, was_cut = _without(request, size, shows, until)
        if time.process_time() > until or (size == 1 and not was_cut):
            return request
        size = size if was_cut else max(1, size // 2)


def _without(request: InboundRequest, size: int, shows: Shows, until: float) -> tuple[InboundRequest, bool]:
    at, was_cut = 0, False
    while at < len(request.body) and time.process_time() < until:
        fewer = replace(request, body=request.body[:at] + request.body[at + size :])
        if shows(fewer):
            request, was_cut = fewer, True
        else:
            at += size
    return request, was_cut


def keep(name: str, request: InboundRequest, fault: str, detail: str) -> Path:
    """Write it to build/fuzz, for `python -m tests.fuzz again FILE`."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name.replace('/', '-')}-{sha256(fault.encode()).hexdigest()[:12]}.json"
    told = {
        "parser": name,
        "fault": fault,
        "detail": detail,
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "purpose": request.purpose,
        "body_base64": b64encode(request.body).decode(),
    }
    path.write_text(json.dumps(told, indent=1) + "\n")
    return path


def kept(path: Path, like: Callable[[str], InboundRequest]) -> tuple[str, InboundRequest]:
    """The parser's name and the request of such a file; time and origin are those of `like(name)`."""
    told = json.loads(path.read_text())
    request = replace(
        like(told["parser"]),
        method=told["method"],
        url=told["url"],
        headers=tuple((name, value) for name, value in told["headers"]),
        purpose=told["purpose"],
        body=b64decode(told["body_base64"]),
    )
    return told["parser"], request
