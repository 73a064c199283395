"""All processes of one machine as one page: each has a socket in DIR/metrics, whoever is asked reads them all.

Sockets in a folder rather than ports in a file: a process that another supervisor starts, or that is the second of its
role, is found like any other, nobody can take its address, and only the installation's user can read it.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import structlog

from services.metrics.catalogue import PROCESS_RESTARTS, PROCESS_UP
from services.metrics.page import Page

_PATIENCE_SECONDS: Final = 2.0
_LONGEST_PATH: Final = 100
_NAME: Final = re.compile(r"(?P<role>[a-z+-]+)\.(?P<pid>[0-9]+)\.sock")
_LOG: Final = structlog.get_logger("metrics")
_UP: Final = f"# HELP {PROCESS_UP} 1 when the process told its numbers, 0 when it did not.\n# TYPE {PROCESS_UP} gauge\n"
_RESTARTS: Final = (
    f"# HELP {PROCESS_RESTARTS} How often `tamas up` started a process again.\n# TYPE {PROCESS_RESTARTS} counter\n"
)


@contextlib.asynccontextmanager
async def told(data: Path, role: str, page: Page) -> AsyncGenerator[None]:
    """Tell this process's page to whoever connects to its socket, for as long as the context lasts."""
    path = _short(data / "metrics" / f"{role}.{os.getpid()}.sock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(path.parent, role)
        server = await asyncio.start_unix_server(lambda _, writer: _tell(writer, page), path)
    except OSError as error:
        # Nobody is served the worse for it.
        _LOG.warning("this process tells no numbers", error=str(error), path=str(path))
        yield
        return
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def gathered(data: Path) -> str:
    """The numbers of every process of this machine that runs on this data folder."""
    found = [(path, named) for path in (data / "metrics").glob("*.sock") if (named := _NAME.fullmatch(path.name))]
    pages = await asyncio.gather(*(_asked(path) for path, _ in found))
    up = [
        f'{PROCESS_UP}{{role="{named["role"]}",pid="{named["pid"]}"}} {0 if page is None else 1}\n'
        for (_, named), page in zip(found, pages, strict=True)
    ]
    restarts = [f'{PROCESS_RESTARTS}{{role="{role}"}} {count}\n' for role, count in _restarts(data).items()]
    ours = _UP + "".join(up) + (_RESTARTS + "".join(restarts) if restarts else "")
    return merged([*(page for page in pages if page is not None), ours])


def merged(pages: Iterable[str]) -> str:
    """Pages as one. Prometheus wants the samples of a family together, so the parts of each are brought together."""
    parts: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        for block in page.split("# HELP ")[1:]:
            head, typed, samples = block.partition("# TYPE ")
            kind, _, lines = samples.partition("\n")
            parts[f"# HELP {head}{typed}{kind}\n"].append(lines)
    return "".join(head + "".join(found) for head, found in parts.items())


def of_tenant(page: str, tenant: str) -> str:
    """The page without the numbers of other tenants."""
    own = f'tenant="{tenant}"'
    return "".join(line for line in page.splitlines(keepends=True) if own in line or 'tenant="' not in line)


async def _tell(writer: asyncio.StreamWriter, page: Page) -> None:
    with contextlib.suppress(OSError):
        writer.write(page.text().encode())
        await writer.drain()
    writer.close()


async def _asked(path: Path) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_unix_connection(_short(path))
            try:
                return (await reader.read()).decode() or None
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None


def _sweep(folder: Path, role: str) -> None:
    """Remove what a killed process of this role left behind."""
    for path in folder.glob(f"{role}.*.sock"):
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            try:
                probe.connect(str(_short(path)))
            except ConnectionRefusedError:
                path.unlink()


def _short(path: Path) -> Path:
    # The path of a socket has 108 bytes at most (unix(7)); from here it may be shorter.
    return path if len(os.fsencode(path)) <= _LONGEST_PATH else Path(os.path.relpath(path))


def _restarts(data: Path) -> Mapping[str, int]:
    try:
        found: Any = json.loads((data / "endpoints.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("Mapping[str, int]", found.get("restarts", {}))
