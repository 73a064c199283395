"""Logs on stderr: lines for people or JSON for machines. Ids are bound; texts and addresses never are."""

import atexit
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from typing import Final, TextIO, cast

import structlog

from services.settings import Misconfigured, Settings

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_MOST_LINES: Final = 10_000
_LAST_SECONDS: Final = 1.0
_STDERR: Final = 2


class Outlet:
    """A stream whose writers never wait: a thread hands on to stderr. What nobody reads in time is only counted."""

    def __init__(self) -> None:
        """Its thread ends with the process, which waits a second at most for what is still here."""
        self._lines: Final[deque[str]] = deque()
        self._some: Final = threading.Event()
        self._dropped = 0
        threading.Thread(target=self._hand_on, name="logs", daemon=True).start()
        atexit.register(self._end)

    def write(self, text: str) -> int:
        """As a stream's."""
        if len(self._lines) < _MOST_LINES:
            self._lines.append(text)
        else:
            self._dropped += 1
        self._some.set()
        return len(text)

    def flush(self) -> None:
        """As a stream's; waits for nothing."""

    def _hand_on(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            while self._lines:
                _put(self._lines[0])
                self._lines.popleft()
                if self._dropped and len(self._lines) < _MOST_LINES // 2:
                    dropped, self._dropped = self._dropped, 0
                    _put(f"{dropped} lines of this log were dropped here: nobody read it\n")

    def _end(self) -> None:
        deadline = time.monotonic() + _LAST_SECONDS
        while self._lines and time.monotonic() < deadline:
            time.sleep(0.01)


def _put(text: str) -> None:
    # Not through sys.stderr, whose lock would be held for as long as nobody reads.
    rest = text.encode("utf-8", "replace")
    try:
        while rest:
            rest = rest[os.write(_STDERR, rest) :]
    except OSError:
        # Its reader is gone: there is nobody left to tell.
        return


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it happened and what kind of error it was. Not what it says: that may quote what a person wrote."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        told.append("".join([*traceback.format_tb(error.__traceback__), kind]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nled to:\n\n".join(reversed(told))


def configure(settings: Settings, role: str, *, waits: bool = True) -> None:
    """Once per process, in its composition root. Without `waits` no line holds its writer up, see `Outlet`.

    Raises:
        Misconfigured: an unknown level.
    """
    if settings.log_level.lower() not in _LEVELS:
        raise Misconfigured(f"TAMAS_LOG_LEVEL must be one of {', '.join(_LEVELS)}, not {settings.log_level!r}")
    level = _LEVELS[settings.log_level.lower()]
    is_json = settings.log_format == "json"
    outlet = None if waits else Outlet()
    # The libraries' own lines; theirs at INFO tell of every reconnect.
    logging.basicConfig(
        stream=outlet or sys.stderr, level=max(level, logging.ERROR), format="%(name)s: %(message)s", force=True
    )
    # Says each failed attempt; we say once that the database is away.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_traceback),
            structlog.processors.JSONRenderer()
            if is_json
            else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever puts another stream in its place, as tests do, is followed.
        logger_factory=lambda *_: structlog.WriteLogger(cast("TextIO", outlet or sys.stderr)),
    )
    structlog.contextvars.bind_contextvars(role=role)
