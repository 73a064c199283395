"""What our topics hold, seen from outside."""

from typing import cast

from aiokafka import TopicPartition

from services import topics
from services.relay.content import look, open_consumer
from services.settings import Settings


async def highest_published(settings: Settings) -> int:
    """The highest position that the last records of our topics have; 0 when there are none, or no topics.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
    """
    async with open_consumer(settings) as consumer:
        there = cast("set[str]", await consumer.topics())
        names = [name for name in topics.names(settings) if name in there]
        partitions = [TopicPartition(name, n) for name in names for n in consumer.partitions_for_topic(name) or ()]
        if not partitions:
            return 0
        held = await look(consumer, partitions, {})
    return max((found.last or 0 for found in held.values()), default=0)
