"""The role `dispatch`: with every channel that can send, over wires that lead out of the house."""

import asyncio
from collections.abc import Callable

from channels.senders import SENDERS
from services.dispatch import app
from services.settings import Settings
from services.wires.wires import open_wires


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Dispatch until `stop`. Raises `Misconfigured`, as `app.run_with`."""
    async with open_wires() as wires:
        await app.run_with(settings, stop, ready, makers=SENDERS, wires=wires)
