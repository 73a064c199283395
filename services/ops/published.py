"""What our topics hold, seen from outside."""

from services import topics
from services.relay.content import look, open_consumer
from services.settings import Settings


async def highest_published(settings: Settings) -> int:
    """The highest position that the last records of our topics have; 0 when there are none, or no topics.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
    """
    partitions = await topics.partitions(settings)
    if not partitions:
        return 0
    async with open_consumer(settings) as consumer:
        held = await look(consumer, partitions, {})
    return max((found.last or 0 for found in held.values()), default=0)
