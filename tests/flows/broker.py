"""What can happen to a broker, done to the one of an installation."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services import topics
from services.produce import connection
from services.settings import Settings
from tests.flows.installation import Installation


def truncate(up: Installation) -> int:
    """Kill it, and take the later half of what each partition of the interactions holds; returns the bytes lost."""
    with up.without("kafka"):
        return sum(_halve(path) for path in sorted(_logs(up).glob("tamas.interactions-*/*.log")))


def empty(up: Installation) -> None:
    """Kill it, and give it a new disk: another cluster, with nothing in it."""
    with up.without("kafka"):
        shutil.rmtree(_logs(up))


def delete_topic(settings: Settings, topic: str, *, made_again: bool) -> None:
    """As an operator may, by mistake."""
    asyncio.run(_delete(settings, topic, made_again=made_again))


async def _delete(settings: Settings, topic: str, *, made_again: bool) -> None:
    name = topics.name_of(settings, topic)
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        await admin.delete_topics([name])
        while made_again:
            made: Any = await admin.create_topics([NewTopic(name, settings.topic_partitions, 1)])
            # 36: the old one is not gone yet, or somebody else was faster.
            made_again = made.topic_errors[0][1] not in (0, 36)
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def _logs(up: Installation) -> Path:
    return up.data / "kafka" / "log"


def _halve(path: Path) -> int:
    lost = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.truncate(lost)
    return lost
