"""What a subscriber does that is told the two rules of README, in the words of two clients that are not ours."""

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any, Final, cast

import confluent_kafka
import pytest

from services.settings import Settings
from services.topics import name_of

_PATIENCE_SECONDS: Final = 60.0


@dataclass
class Seen:
    """Its events: `missed` names those before which something is lacking."""

    held: dict[int, int] = field(default_factory=dict[int, int])
    ids: list[str] = field(default_factory=list[str])
    missed: list[str] = field(default_factory=list[str])
    repeated: int = 0

    def take(self, partition: int, headers: dict[str, str]) -> None:
        position, last = int(headers["ce_position"]), self.held.get(partition, 0)
        if position <= last:
            self.repeated += 1
            return
        if int(headers["ce_prevposition"]) > last:
            self.missed.append(headers["ce_id"])
        self.held[partition] = position
        self.ids.append(headers["ce_id"])


def by_confluent(settings: Settings, wanted: int) -> Seen:
    """By librdkafka in a group, until it has so many."""
    seen, ends = Seen(), time.monotonic() + _PATIENCE_SECONDS
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": f"{settings.topic_prefix}confluent",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.subscribe([name_of(settings, "interactions")])
        while len(seen.ids) < wanted and time.monotonic() < ends:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                headers = cast("list[tuple[str, bytes]]", message.headers())
                seen.take(cast("Any", message.partition()), {name: value.decode() for name, value in headers})
    finally:
        consumer.close()
    return seen


def by_kcat(settings: Settings) -> Seen:
    """By kcat, from the start of the topic to its end."""
    if shutil.which("kcat") is None:
        pytest.skip("kcat is not installed")
    words = ("-C", "-e", "-q", "-o", "beginning", "-f", "%p %h\n", "-t", name_of(settings, "interactions"))
    done = subprocess.run(
        ["kcat", "-b", settings.kafka_bootstrap_servers, *words], capture_output=True, text=True, check=True, timeout=60
    )
    seen = Seen()
    for line in done.stdout.splitlines():
        partition, _, headers = line.partition(" ")
        seen.take(int(partition), dict(header.split("=", 1) for header in headers.split(",") if "=" in header))
    return seen
