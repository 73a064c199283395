"""Dispatch as a process of its own, to be killed: `python -m tests.services.dispatch.process URL [idempotent]`."""

import asyncio
import os
import subprocess
import sys

from services.dispatch import app
from services.settings import Settings, load
from tests.services.dispatch.provider import makers, wired_to_http


def start(settings: Settings, url: str, *words: str) -> subprocess.Popen[bytes]:
    """Returns once it dispatches or stands by."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "TAMAS_DATA": str(settings.data),
    }
    command = [sys.executable, "-m", "tests.services.dispatch.process", url, *words]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line != b"ready\n":
        pass
    assert line, "dispatch ended before it was ready"
    return process


async def _run(url: str, *words: str) -> None:
    async with wired_to_http() as wires:
        makes = makers(url, idempotent="idempotent" in words)
        await app.run_with(load(), asyncio.Event(), lambda: print("ready", flush=True), makers=makes, wires=wires)


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
