"""What became of the demo's traffic, counted where it ended: in the record, on Kafka, on the timeline."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

import httpx
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services import topics
from services.settings import Settings

Fetched: TypeAlias = Mapping[TopicPartition, Sequence[Any]]

_PATIENCE_SECONDS: Final = 30.0
_RECORD: Final = """
    SELECT
        (SELECT count(*) FROM record.raw WHERE state <> 'parked')
            - (SELECT count(*) FROM service.parked WHERE stage = 'parser'),
        (SELECT count(*) FROM service.requests WHERE result = 'duplicate'),
        (SELECT count(*) FROM service.requests WHERE result = 'refused'),
        (SELECT count(*) FROM service.parked),
        (SELECT count(*) FROM service.pending)"""


def in_record(settings: Settings, invalid: int) -> dict[str, int]:
    """Requests by result. `invalid` are forms that were sent back to be mended: they leave no trace but the answer."""
    with psycopg.connect(settings.record_url) as connection:
        row = connection.execute(_RECORD).fetchone() or (0, 0, 0, 0, 0)
    return {"accepted": row[0] - row[4], "duplicates": row[1], "refused": row[2] + invalid, "parked": row[3]}


def on_kafka(settings: Settings, at_least: int) -> int:
    """Distinct events on the topics that channels feed, read by a plain consumer that knows nothing of ours."""
    return asyncio.run(_on_kafka(settings, at_least))


def on_timeline(api: str, token: str, addresses: Iterable[str], at_least: int) -> int:
    """Rows that the API shows for these addresses, once they are all there or patience ends."""
    wanted = list(addresses)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=10) as client:
        while True:
            found = sum(len(timeline(client, address)) for address in wanted)
            if found >= at_least or time.monotonic() > deadline:
                return found
            time.sleep(0.2)


def timeline(client: httpx.Client, address: str) -> list[dict[str, Any]]:
    """The newest interactions of an address."""
    answer = client.get("/api/v1/timeline", params={"address": address, "limit": 200})
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _on_kafka(settings: Settings, at_least: int) -> int:
    names = [topics.name_of(settings, topic) for topic in ("interactions", "customers")]
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        await _assign(consumer, names)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        seen: set[bytes] = set()
        while len(seen) < at_least and time.monotonic() < deadline:
            seen |= _ids(cast("Fetched", await consumer.getmany(timeout_ms=300)))
        # One more look: what should not be there would come now.
        return len(seen | _ids(cast("Fetched", await consumer.getmany(timeout_ms=500))))
    finally:
        await consumer.stop()


def _ids(fetched: Fetched) -> set[bytes]:
    headers = (pair for records in fetched.values() for record in records for pair in record.headers)
    return {value for name, value in headers if name == "ce_id"}


async def _assign(consumer: AIOKafkaConsumer, names: Sequence[str]) -> None:
    cluster: Any = consumer._client  # noqa: SLF001 - metadata before any assignment has no public way
    await cluster.set_topics(names)
    partitions = [TopicPartition(name, part) for name in names for part in consumer.partitions_for_topic(name) or ()]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
