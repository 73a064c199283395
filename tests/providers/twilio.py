"""The stand-in for Twilio with the account that tests use."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from services.demo import twilio
from services.demo.twilio import ACCOUNT, Twilio

__all__ = ["ACCOUNT", "KEY", "KEY_SECRET", "LOGINS", "TOKEN", "Twilio", "running"]

TOKEN: Final = "0123456789abcdef0123456789abcdef"
KEY: Final = "SK0123456789abcdef0123456789abcdef"
KEY_SECRET: Final = "the secret of the key"
LOGINS: Final = frozenset({(ACCOUNT, TOKEN), (KEY, KEY_SECRET)})


@asynccontextmanager
async def running() -> AsyncGenerator[Twilio]:
    """Started at a free port of this machine."""
    async with twilio.running(Twilio(TOKEN, LOGINS)) as started:
        yield started
