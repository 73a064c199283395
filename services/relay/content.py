"""What the broker holds of what we published: its last records are read back, and compared with the cursor."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.event import Undecodable
from services.cloudevents import position_of, previous_of
from services.produce import connection
from services.settings import Settings

_ANSWER_SECONDS: Final = 12.0
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """One partition: records from `start` up to `end` (exclusive), of which those below `trusted` are in order.

    `last` is the position of the last of these, `before_first` what may precede the very first record of the topic's
    life, once that is still there. None = there is no such record, or somebody else wrote it.
    """

    start: int
    end: int
    trusted: int
    last: int | None
    before_first: int | None


@asynccontextmanager
async def open_consumer(settings: Settings) -> AsyncGenerator[AIOKafkaConsumer]:
    """A consumer without a group, for looking."""
    consumer = AIOKafkaConsumer(
        **connection(settings),
        client_id="tamas-relay-check",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=64 * 1024,
        request_timeout_ms=10_000,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def look(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], doubted: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Held]:
    """What each partition holds. `doubted` names offsets from which on a partition is known to be out of order.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError: the broker does not answer.
    """
    starts, ends = await offsets(consumer, partitions)
    trusted = {held: min(ends[held], doubted.get(held, ends[held])) for held in partitions}
    lasts = await _read(consumer, {held: end - 1 for held, end in trusted.items() if end > starts[held]})
    firsts = await _read(consumer, {held: 0 for held in lasts if starts[held] == 0})
    return {
        held: Held(
            starts[held],
            ends[held],
            trusted[held],
            _of(position_of, held, lasts.get(held)),
            _of(previous_of, held, firsts.get(held)),
        )
        for held in partitions
    }


async def offsets(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Start and end offsets. Raises as `look`."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        return (
            cast("dict[TopicPartition, int]", await consumer.beginning_offsets(partitions)),
            cast("dict[TopicPartition, int]", await consumer.end_offsets(partitions)),
        )


async def _read(consumer: AIOKafkaConsumer, wanted: Mapping[TopicPartition, int]) -> dict[TopicPartition, Any]:
    if not wanted:
        return {}
    consumer.assign(list(wanted))
    for held, offset in wanted.items():
        consumer.seek(held, offset)
    found: dict[TopicPartition, Any] = {}
    async with asyncio.timeout(_ANSWER_SECONDS):
        while len(found) < len(wanted):
            fetched = cast("dict[TopicPartition, list[Any]]", await consumer.getmany(timeout_ms=200))
            for held, records in fetched.items():
                found.setdefault(held, records[0])
                consumer.pause(held)
    consumer.unsubscribe()
    return found


def _of(number: Callable[[Iterable[tuple[str, bytes]]], int], held: TopicPartition, record: Any) -> int | None:
    if record is None:
        return None
    try:
        return number(record.headers)
    except Undecodable:
        _log.warning("relay.stranger", topic=held.topic, partition=held.partition, offset=record.offset)
        return None
