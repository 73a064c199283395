"""All that leads out of the house, for one process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from channels.sending import Wires
from services.wires.http import HttpWire
from services.wires.mail import MailWire


@asynccontextmanager
async def open_wires() -> AsyncGenerator[Wires]:
    """Connections are opened when something is sent, kept for a while, and closed at the end."""
    http, mail = HttpWire(), MailWire()
    try:
        yield Wires(http, mail)
    finally:
        await http.close()
        await mail.close()
