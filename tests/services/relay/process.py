"""A relay as a process of its own, to be killed: `python -m tests.services.relay.process`, set by the environment."""

import asyncio
import os
import subprocess
import sys

from services.relay import app
from services.settings import Settings, load


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """Returns once it publishes or stands by."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "TAMAS_TOPIC_PREFIX": settings.topic_prefix,
        "TAMAS_TOPIC_PARTITIONS": str(settings.topic_partitions),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.services.relay.process"], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line != b"ready\n":
        pass
    assert line, "the relay ended before it was ready"
    return process


def main() -> None:
    asyncio.run(app.run(load(), asyncio.Event(), lambda: print("ready", flush=True)))


if __name__ == "__main__":
    main()
