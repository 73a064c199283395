"""Our topics on Kafka: their names, how they are made, and what they must be before anything is written."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, cast

from aiokafka import TopicPartition, partitioner
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.topics import TOPICS
from services.produce import connection
from services.settings import Misconfigured, Settings

RETENTION_SECONDS: Final = 30 * 24 * 3600
"""History is the record's; the wire keeps this much of it."""
SEGMENT_SECONDS: Final = 24 * 3600
"""A broker deletes whole segments, each once its youngest record is too old: the oldest stays for so much longer."""
_SWEEP_SECONDS: Final = 600
"""Brokers look for what is too old every five minutes, and remove its files a minute later, unless told otherwise."""
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


def kept_as_made() -> timedelta:
    """How long a record stays at most on a topic that `create` made."""
    return timedelta(seconds=RETENTION_SECONDS + SEGMENT_SECONDS + _SWEEP_SECONDS)


async def kept(settings: Settings) -> timedelta:
    """How long a record of ours stays at most on the broker, by its own word; `timedelta.max` when it is never deleted.

    Raises:
        TopicsMissing: no topic of ours is there, or we may not see how they are configured.
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with _admin(settings) as admin:
        have = await _described(admin)
        configs = await _configs(admin, [name for name in names(settings) if name in have])
    try:
        return max(_kept(found) for found in configs.values())
    except (ValueError, KeyError) as error:
        raise TopicsMissing("the broker does not tell retention.ms and segment.ms of the topics") from error


async def partitions(settings: Settings, topics: Collection[str] = TOPICS) -> list[TopicPartition]:
    """The partitions of these topics as the broker has them; none of a topic that is not there.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with _admin(settings) as admin:
        have = await _described(admin)
    wanted = [name for topic in topics if (name := name_of(settings, topic)) in have]
    return [TopicPartition(name, one["partition"]) for name in wanted for one in have[name]["partitions"]]


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
        "segment.ms": str(SEGMENT_SECONDS * 1000),
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
        configs = await _configs(admin, wanted)
    except KafkaError:
        return _DEFAULT_MESSAGE_BYTES
    for name, found in configs.items():
        if "compact" in found.get("cleanup.policy", "delete"):
            raise TopicsMissing(f"the topic {name} is compacted, which drops events: set its cleanup.policy to delete")
    largest = [int(found.get("max.message.bytes", _DEFAULT_MESSAGE_BYTES)) for found in configs.values()]
    return min(largest, default=_DEFAULT_MESSAGE_BYTES)


async def _configs(admin: AIOKafkaAdminClient, wanted: Collection[str]) -> dict[str, dict[str, str]]:
    """By topic; nothing in it where the broker does not let us see it."""
    answers: list[Any] = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    )
    resources = [resource for answer in answers for resource in answer.resources]
    return {name: {entry[0]: entry[1] for entry in entries} for _code, _message, _kind, name, entries in resources}


def _kept(found: dict[str, str]) -> timedelta:
    """Of one topic."""
    retention = int(found["retention.ms"])
    if retention < 0 or "delete" not in found.get("cleanup.policy", "delete"):
        return timedelta.max
    try:
        return timedelta(milliseconds=retention + int(found["segment.ms"]), seconds=_SWEEP_SECONDS)
    except OverflowError:
        return timedelta.max
