"""The decider as a process of its own, to be killed: `python -m tests.services.acknowledging.process`."""

import asyncio
import os
import subprocess
import sys

from services.acknowledging import app
from services.settings import Settings, load


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """Returns once it decides or stands by."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "TAMAS_DATA": str(settings.data),
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
    }
    command = [sys.executable, "-m", "tests.services.acknowledging.process"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line != b"ready\n":
        pass
    assert line, "it ended before it was ready"
    return process


def main() -> None:
    asyncio.run(app.run(load(), asyncio.Event(), lambda: print("ready", flush=True)))


if __name__ == "__main__":
    main()
