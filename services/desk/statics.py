"""Files of the desk's pages, held in memory, gzipped once; a path holds the digest of all, so it is good for ever."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_FOLDER: Final = Path(__file__).with_name("static")
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_DIGITS: Final = 12
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    content: bytes
    gzipped: bytes | None


@cache
def _files() -> dict[str, _File]:
    found: dict[str, _File] = {}
    for path in sorted(_FOLDER.rglob("*")):
        media_type = _TYPES.get(path.suffix)
        if media_type is not None:
            content = path.read_bytes()
            gzipped = None if path.suffix == ".woff2" else gzip.compress(content, 9, mtime=0)
            found[path.relative_to(_FOLDER).as_posix()] = _File(media_type, content, gzipped)
    return found


@cache
def _digest() -> str:
    summed = sha256()
    for name, file in _files().items():
        summed.update(name.encode() + b"\0" + file.content)
    return summed.hexdigest()[:_DIGITS]


def url(name: str) -> str:
    """Where a page finds this file. Raises KeyError: there is none."""
    _ = _files()[name]
    return f"/desk/static/{_digest()}/{name}"


async def serve_static(request: Request) -> Response:
    """A file; another digest is an older page's, which is given what there is now."""
    file = _files().get(request.path_params["name"])
    if file is None:
        return Response(status_code=404)
    is_current = request.path_params["digest"] == _digest()
    headers = {
        "Content-Type": file.media_type,
        "Cache-Control": _FOR_EVER if is_current else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzipped, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, headers=headers)


def sizes() -> tuple[int, int]:
    """All files in bytes, as they are and as they travel."""
    files = _files().values()
    return sum(len(one.content) for one in files), sum(len(one.gzipped or one.content) for one in files)
