"""Where the front door is: as the world calls it, and where a running `tamas up` listens on this machine."""

import json
import os
from typing import Final
from urllib.parse import urlsplit

from services.settings import Settings

_ANYWHERE: Final = ("0.0.0.0", "::", "[::]", "")  # noqa: S104 - compared, not listened on


def public_url(settings: Settings) -> str:
    """What signatures are made over: TAMAS_PUBLIC_URL, else where the running front door listens."""
    if os.environ.get("TAMAS_PUBLIC_URL"):
        return settings.public_url
    return (_endpoints(settings).get("http") or settings.public_url_for(settings.http_listen)).rstrip("/")


def http_url(settings: Settings) -> str:
    """Where to send to: the running front door of this data folder, else the public URL."""
    return (_endpoints(settings).get("http") or settings.public_url_for(settings.http_listen)).rstrip("/")


def smtp_address(settings: Settings) -> tuple[str, int]:
    """Host and port of the mail door."""
    found = _endpoints(settings).get("smtp") or settings.smtp_listen
    parts = urlsplit(found if "://" in found else f"smtp://{found}")
    host = parts.hostname or ""
    return ("127.0.0.1" if host in _ANYWHERE else host), parts.port or 25


def _endpoints(settings: Settings) -> dict[str, str]:
    path = settings.data / "endpoints.json"
    return json.loads(path.read_bytes()) if path.is_file() else {}
