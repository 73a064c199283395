"""Rows of the record as Kafka's batches: one list per partition, each record with the one before it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from services.cloudevents import Headers, to_headers
from services.record.reader import Row
from services.settings import Settings
from services.topics import name_of, partition_of

_CHUNK: Final = 100
_OVERHEAD_BYTES: Final = 1024


@dataclass(slots=True)
class Batches:
    """What goes to each partition, in order, and the last position that it will hold then."""

    builders: dict[TopicPartition, list[BatchBuilder]] = field(default_factory=lambda: defaultdict(list))
    lasts: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])


class Packer:
    """Makes batches. Keeps the last position of each partition, so that each record names the one before it."""

    def __init__(self, settings: Settings, largest_bytes: int, holds: dict[TopicPartition, int]) -> None:
        """`largest_bytes` is what the broker takes; a larger record goes as a claim check."""
        self._settings: Final = settings
        self._partitions: Final = settings.topic_partitions
        self._largest: Final = largest_bytes - _OVERHEAD_BYTES
        self._holds: Final = dict(holds)
        self._place: Final = lru_cache(16_384)(self._placed)

    async def pack(self, rows: Sequence[Row], producer: AIOKafkaProducer) -> Batches:
        """Batches of what the partitions do not hold yet; gives way to others every few milliseconds."""
        batches = Batches()
        for start in range(0, len(rows), _CHUNK):
            for row in rows[start : start + _CHUNK]:
                self._add(batches, row, producer)
            await asyncio.sleep(0)
        return batches

    def _add(self, batches: Batches, row: Row, producer: AIOKafkaProducer) -> None:
        key, partition = self._place(row.topic, row.subject)
        held = self._holds.get(partition, 0)
        if row.position <= held:
            return
        headers, value = self._record(row, held)
        at = int(row.recorded_at.timestamp() * 1000)
        builders = batches.builders[partition]
        if not builders or builders[-1].append(timestamp=at, key=key, value=value, headers=headers) is None:
            # The first record of a batch is taken whatever its size.
            builders.append(producer.create_batch())
            builders[-1].append(timestamp=at, key=key, value=value, headers=headers)
        batches.lasts[partition] = self._holds[partition] = row.position

    def _record(self, row: Row, held: int) -> tuple[Headers, bytes]:
        base = self._settings.public_url
        if len(row.payload) < self._largest:
            headers = to_headers(row, held, base)
            if len(row.payload) + sum(len(name) + len(value) for name, value in headers) < self._largest:
                return headers, row.payload
        return to_headers(row, held, base, by_reference=True), b""

    def _placed(self, topic: str, subject: UUID) -> tuple[bytes, TopicPartition]:
        key = str(subject).encode()
        return key, TopicPartition(name_of(self._settings, topic), partition_of(key, self._partitions))
