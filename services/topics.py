"""Our topics on Kafka: their names, how they are made, and what they must be before anything is written."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from aiokafka import partitioner
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.topics import TOPICS
from services.produce import connection
from services.settings import Misconfigured, Settings

RETENTION_SECONDS: Final = 30 * 24 * 3600
"""History is the record's; the wire keeps this much of it."""
_APPEARS_SECONDS: Final = 10.0
_DEFAULT_MESSAGE_BYTES: Final = 1_048_588
_murmur2: Final = cast("Callable[[bytes], int]", partitioner.murmur2)  # pyright: ignore[reportUnknownMemberType]


class TopicsMissing(Misconfigured):
    """Topics are not there, or not as they must be; the sentence says what to do."""


def name_of(settings: Settings, topic: str) -> str:
    """The topic's name on this installation's broker."""
    return settings.topic_prefix + topic


def names(settings: Settings) -> list[str]:
    """All of them, in the order of `schemas.topics`."""
    return [name_of(settings, topic) for topic in TOPICS]


def partition_of(key: bytes, partitions: int) -> int:
    """As Java's default partitioner: murmur2 of the key. Keys are ids as lower-case text."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


async def create(settings: Settings) -> list[str]:
    """Make the topics that are missing, and return their names once the broker shows them.

    Raises:
        TopicsMissing: the broker does not let us.
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with _admin(settings) as admin:
        have = await _described(admin)
        wanted = [name for name in names(settings) if name not in have]
        if wanted:
            await _create(admin, settings, wanted)
    return wanted


async def check(settings: Settings) -> int:
    """See that every topic is there as it must be; returns the largest batch in bytes that all of them take.

    Raises:
        TopicsMissing: one is missing, or has other partitions, fewer copies or another clean-up than it must have.
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with _admin(settings) as admin:
        have = await _described(admin)
        for name in names(settings):
            _check(settings, name, have.get(name))
        return await _largest(admin, names(settings))


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection(settings), client_id="tamas-topics", request_timeout_ms=10_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _described(admin: AIOKafkaAdminClient) -> dict[str, dict[str, Any]]:
    # All topics: asking for one by name makes a broker with auto-creation create it.
    found: list[dict[str, Any]] = await admin.describe_topics(None)
    return {topic["topic"]: topic for topic in found if topic["error_code"] == 0 and topic["partitions"]}


async def _create(admin: AIOKafkaAdminClient, settings: Settings, wanted: Collection[str]) -> None:
    copies = settings.topic_replication
    configs = {
        "retention.ms": str(RETENTION_SECONDS * 1000),
        "cleanup.policy": "delete",
        "min.insync.replicas": str(max(1, copies - 1)),
    }
    made: Any = await admin.create_topics(
        [NewTopic(name, settings.topic_partitions, copies, topic_configs=configs) for name in wanted]
    )
    for name, code, *said in made.topic_errors:
        error = for_code(code)
        if code != 0 and error is not TopicAlreadyExistsError:
            raise TopicsMissing(
                f"the broker refuses to create the topic {name} ({said[0] if said and said[0] else error.__name__}): "
                f"create it with {settings.topic_partitions} partitions and replication factor {copies}, or allow it"
            )
    async with asyncio.timeout(_APPEARS_SECONDS):
        # Nobody tells when the other brokers know of it.
        while not set(wanted) <= set(await _described(admin)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _check(settings: Settings, name: str, found: dict[str, Any] | None) -> None:
    if found is None:
        raise TopicsMissing(f"the topic {name} is missing on the broker: run `tamas topics create`")
    partitions = len(found["partitions"])
    if partitions != settings.topic_partitions:
        raise TopicsMissing(
            f"the topic {name} has {partitions} partitions, TAMAS_TOPIC_PARTITIONS says {settings.topic_partitions}: "
            f"set it to {partitions}, or use another TAMAS_TOPIC_PREFIX; a topic's partitions never change"
        )
    copies = min(len(partition["replicas"]) for partition in found["partitions"])
    if copies < settings.topic_replication:
        raise TopicsMissing(
            f"the topic {name} has {copies} copies of each record, TAMAS_TOPIC_REPLICATION says "
            f"{settings.topic_replication}: reassign its partitions with more replicas, or lower the setting"
        )


async def _largest(admin: AIOKafkaAdminClient, wanted: Collection[str]) -> int:
    try:
        answers: list[Any] = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
        )
    except KafkaError:
        return _DEFAULT_MESSAGE_BYTES
    largest: list[int] = []
    for _code, _message, _kind, name, entries in [resource for answer in answers for resource in answer.resources]:
        found: dict[str, str] = {entry[0]: entry[1] for entry in entries}
        if "compact" in found.get("cleanup.policy", "delete"):
            raise TopicsMissing(f"the topic {name} is compacted, which drops events: set its cleanup.policy to delete")
        largest.append(int(found.get("max.message.bytes", _DEFAULT_MESSAGE_BYTES)))
    return min(largest, default=_DEFAULT_MESSAGE_BYTES)
