"""Our topics on Kafka: their names, and how they are made. What they must be is in `services.topic_state`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from aiokafka import TopicPartition, partitioner
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

from schemas.topics import TOPICS
from services.produce import connection, refusal
from services.settings import Misconfigured, Settings

RETENTION_SECONDS: Final = 30 * 24 * 3600
"""History is the record's; the wire keeps this much of it."""
SEGMENT_SECONDS: Final = 24 * 3600
"""A broker deletes whole segments, each once its youngest record is too old: the oldest stays for so much longer."""
_APPEARS_SECONDS: Final = 10.0
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


def copies_in_sync(settings: Settings) -> int:
    """How many copies must be written before a record counts: with three, one broker may be away."""
    return max(1, settings.topic_replication - 1)


async def create(settings: Settings) -> list[str]:
    """Make the topics that are missing, and return their names once the broker shows them.

    Raises:
        TopicsMissing: the broker does not let us.
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with admin_of(settings) as admin:
        have = await described(admin)
        wanted = [name for name in names(settings) if name not in have]
        if wanted:
            await _create(admin, settings, wanted)
    return wanted


async def partitions(settings: Settings, topics: Collection[str] = TOPICS) -> list[TopicPartition]:
    """The partitions of these topics as the broker has them; none of a topic that is not there.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with admin_of(settings) as admin:
        have = await described(admin)
    wanted = [name for topic in topics if (name := name_of(settings, topic)) in have]
    return [TopicPartition(name, one["partition"]) for name in wanted for one in have[name]["partitions"]]


@asynccontextmanager
async def admin_of(settings: Settings) -> AsyncGenerator[AIOKafkaAdminClient]:
    """A client for looking and making.

    Raises:
        Misconfigured: the broker does not let us in.
        aiokafka.errors.KafkaError: it is away.
    """
    admin = AIOKafkaAdminClient(**connection(settings), client_id="tamas-topics", request_timeout_ms=10_000)
    try:
        try:
            await admin.start()
        except KafkaConnectionError as error:
            raise (await refusal(settings)) or error from error
        yield admin
    finally:
        await admin.close()


async def described(admin: AIOKafkaAdminClient) -> dict[str, dict[str, Any]]:
    """Every topic that is there, by name, as the Metadata answer has it."""
    # All topics: asking for one by name makes a broker with auto-creation create it.
    found: list[dict[str, Any]] = await admin.describe_topics(None)
    return {topic["topic"]: topic for topic in found if topic["error_code"] == 0 and topic["partitions"]}


async def _create(admin: AIOKafkaAdminClient, settings: Settings, wanted: Collection[str]) -> None:
    copies = settings.topic_replication
    configs = {
        "retention.ms": str(RETENTION_SECONDS * 1000),
        "segment.ms": str(SEGMENT_SECONDS * 1000),
        "cleanup.policy": "delete",
        "min.insync.replicas": str(copies_in_sync(settings)),
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
        while not set(wanted) <= set(await described(admin)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
