"""An edge as a process of its own, to be killed: `python -m tests.services.ingress.process`, set by the environment."""

import asyncio
import os
import subprocess
import sys

from services.ingress import app
from services.settings import Settings, load


def start(settings: Settings, listen: str) -> subprocess.Popen[bytes]:
    """Returns once its doors are open."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "TAMAS_DATA": str(settings.data),
        "TAMAS_HTTP_LISTEN": listen,
        "TAMAS_SMTP_LISTEN": "127.0.0.1:0",
    }
    command = [sys.executable, "-m", "tests.services.ingress.process"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line != b"ready\n":
        pass
    assert line, "the edge ended before it was ready"
    return process


def main() -> None:
    asyncio.run(app.run(load(), asyncio.Event(), lambda _: print("ready", flush=True)))


if __name__ == "__main__":
    main()
