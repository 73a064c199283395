"""What topics hold of the numbers that the record may have lost, in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndTimestamp
from psycopg_pool import AsyncConnectionPool

from services.log_reader import Published, published
from services.produce import connection
from services.settings import Settings
from services.topics import partitions

_PAGE: Final = 200
_FETCH_BYTES: Final = 256 * 1024
_ANSWER_SECONDS: Final = 15.0
_POLL_MS: Final = 200
_MARGIN: Final = timedelta(minutes=10)
"""The broker may note its own time instead of ours, and its clock may differ."""
_LOST: Final = """
    SELECT here.first_position, coalesce(last.position, 0), last.recorded_at
    FROM (SELECT coalesce(max(first_position), 1) AS first_position FROM record.identity) AS here
    LEFT JOIN LATERAL (SELECT position, recorded_at FROM (
        (SELECT position, recorded_at FROM record.facts WHERE position < here.first_position
        ORDER BY position DESC LIMIT 1)
        UNION ALL
        (SELECT position, recorded_at FROM record.decisions WHERE position < here.first_position
        ORDER BY position DESC LIMIT 1)
    ) AS ends ORDER BY position DESC LIMIT 1) AS last ON true"""


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers above `after` and below `before` may be missing; `since` is when the last one before them was recorded.

    `before` is where the present life of the record begins: what it gives out itself is not looked for.
    """

    after: int
    before: int
    since: datetime | None


async def lost(record: AsyncConnectionPool) -> Lost:
    """Between the last number of the life before and the first of this one."""
    async with record.connection() as held:
        row = await (await held.execute(_LOST)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return Lost(after=row[1], before=row[0], since=row[2])


async def pages(settings: Settings, wanted: Lost, topics: Collection[str]) -> AsyncGenerator[list[Published]]:
    """All that these topics hold of it now, lowest number first, some hundred at a time.

    What has no position, because somebody else wrote it, comes where it stands.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
    """
    consumer = AIOKafkaConsumer(
        **connection(settings),
        client_id="tamas-put-back",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
        request_timeout_ms=10_000,
    )
    try:
        await consumer.start()
        merging = _Merge(settings, consumer, wanted)
        await merging.begin(topics)
        while page := await merging.next(_PAGE):
            yield page
    finally:
        await consumer.stop()


class _Merge:
    """Holds a little of every partition, so that the lowest number of all is known."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, wanted: Lost) -> None:
        self._settings: Final = settings
        self._consumer: Final = consumer
        self._wanted: Final = wanted
        self._waiting: dict[TopicPartition, deque[Published]] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def begin(self, topics: Collection[str]) -> None:
        held = await partitions(self._settings, topics)
        if not held or self._wanted.before <= self._wanted.after + 1:
            return
        starts = await self._starts(held)
        async with asyncio.timeout(_ANSWER_SECONDS):
            ends = cast("dict[TopicPartition, int]", await self._consumer.end_offsets(held))
        self._ends = {at: ends[at] for at in held if starts[at] is not None and starts[at] < ends[at]}
        self._waiting = {at: deque() for at in self._ends}
        self._consumer.assign(list(self._ends))
        for at in self._ends:
            self._consumer.seek(at, cast("int", starts[at]))

    async def next(self, most: int) -> list[Published]:
        page: list[Published] = []
        while len(page) < most:
            await self._fill()
            if not self._waiting:
                break
            lowest = min(self._waiting, key=self._first)
            page.append(self._waiting[lowest].popleft())
        return page

    def _first(self, at: TopicPartition) -> int:
        return self._waiting[at][0].position or 0

    async def _starts(self, held: list[TopicPartition]) -> dict[TopicPartition, Any]:
        async with asyncio.timeout(_ANSWER_SECONDS):
            if self._wanted.since is None:
                return cast("dict[TopicPartition, Any]", await self._consumer.beginning_offsets(held))
            at = int((self._wanted.since - _MARGIN).timestamp() * 1000)
            found = cast(
                "dict[TopicPartition, OffsetAndTimestamp | None]",
                await self._consumer.offsets_for_times(dict.fromkeys(held, at)),
            )
        return {place: None if one is None else one.offset for place, one in found.items()}

    async def _fill(self) -> None:
        """Until every partition that goes on has something to show."""
        while empty := [at for at, entries in self._waiting.items() if not entries]:
            for at in empty:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    reached = await self._consumer.position(at)
                if reached >= self._ends[at]:
                    del self._waiting[at]
            empty = [at for at in empty if at in self._waiting]
            if empty:
                await self._fetch(empty)

    async def _fetch(self, empty: list[TopicPartition]) -> None:
        fetched: dict[TopicPartition, list[Any]] = {}
        async with asyncio.timeout(_ANSWER_SECONDS):
            while not fetched:
                fetched = cast(
                    "dict[TopicPartition, list[Any]]", await self._consumer.getmany(*empty, timeout_ms=_POLL_MS)
                )
        for at, records in fetched.items():
            entries = (
                published(record, self._settings.topic_prefix) for record in records if record.offset < self._ends[at]
            )
            self._waiting[at].extend(entry for entry in entries if self._is_wanted(entry))

    def _is_wanted(self, entry: Published) -> bool:
        return entry.position is None or self._wanted.after < entry.position < self._wanted.before
