"""Logs on stderr: lines for people or JSON for machines. Ids are bound; texts and addresses never are."""

import logging
import sys
from typing import Final

import structlog

from services.settings import Misconfigured, Settings

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(settings: Settings, role: str) -> None:
    """Once per process, in its composition root.

    Raises:
        Misconfigured: an unknown level.
    """
    if settings.log_level.lower() not in _LEVELS:
        raise Misconfigured(f"TAMAS_LOG_LEVEL must be one of {', '.join(_LEVELS)}, not {settings.log_level!r}")
    level = _LEVELS[settings.log_level.lower()]
    is_json = settings.log_format == "json"
    # The libraries' own lines; theirs at INFO tell of every reconnect.
    logging.basicConfig(stream=sys.stderr, level=max(level, logging.ERROR), format="%(name)s: %(message)s", force=True)
    # Says each failed attempt; we say once that the database is away.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if is_json
            else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever puts another stream in its place, as tests do, is followed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(role=role)
