"""Keeps what a process remembers up to date: its inboxes, and whose key is gone."""

import asyncio
from typing import Final

import structlog

from services.keys.erasures import HEAR_SECONDS, Erasures
from services.tenancy.directory import Directory

_LOG: Final = structlog.get_logger()


async def keep_fresh(directory: Directory, erasures: Erasures) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(HEAR_SECONDS)
        try:
            await asyncio.gather(directory.refresh(), erasures.refresh())
        except Exception:  # noqa: BLE001 - told to the log
            # The edge: what is in memory goes on serving, whatever the database answers.
            _LOG.exception("the directory cannot be refreshed")
