"""Feeds a set from topics while the relay and the broker do their work, and from the record when they don't."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import structlog
from aiokafka import TopicPartition
from psycopg import OperationalError
from psycopg_pool import AsyncConnectionPool

from schemas.topics import Topic
from services.consume import Records
from services.log_reader import Published, Recorded, claim, owned, published
from services.projector.batch import Gap
from services.projector.fold import Fold
from services.projector.positions import Place
from services.record.reader import Reader
from services.settings import Settings

QUIET_SECONDS: Final = 2.0
"""So long may something be in the record without coming by topic."""
_PAGE: Final = 5000
_BREATH: Final = 500
_AGAIN_SECONDS: Final = 0.2
_LARGEST: Final = (1 << 63) - 1
_log: Final = structlog.get_logger()


class Sources:
    """Two sources, one fold. Which one is read is decided by positions alone, never by the state of a connection."""

    def __init__(
        self,
        settings: Settings,
        fold: Fold,
        *,
        reader: Reader,
        record: AsyncConnectionPool,
        topics: Sequence[Topic],
        stop: asyncio.Event,
    ) -> None:
        """`record` is to RECORD_URL, with the right to read the relay's cursor."""
        self._settings: Final = settings
        self._fold: Final = fold
        self._reader: Final = reader
        self._record: Final = record
        self._topics: Final = topics
        self._stop: Final = stop
        self._lock: Final = asyncio.Lock()
        self._came_at = self._ticked_at = time.monotonic()
        self._behind: tuple[int, float] | None = None
        self.head = 0
        self.from_record = not settings.bootstrap()
        """True while the record is read in place of topics."""

    async def take(self, records: Records) -> None:
        """What a poll brought. Raises as `Fold.fold`, except for Gap, which is filled."""
        entries: list[Published] = []
        for number, record in enumerate(records):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            entries.append(published(record, self._settings.topic_prefix))
        head = await self._head_beyond(max((entry.position or 0 for entry in entries), default=0))
        entries = [owned(entry, head) for entry in entries]
        async with self._lock:
            filled = False
            while True:
                try:
                    await self._fold.fold([await claim(entry, self._reader) for entry in entries], gaps=filled)
                    break
                except Gap:
                    _log.info("projector.gap", position=self._fold.lowest)
                    await self._read_record()
                    filled = True
                except OperationalError as error:
                    # The record is away, and a claim check or a gap needs it.
                    _log.warning("projector.waits", error=type(error).__name__)
                    await asyncio.sleep(_AGAIN_SECONDS)
            self._came_at = time.monotonic()

    async def hints(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where to go on in these partitions: behind the record of our position."""
        async with self._lock:
            await self._fold.reload()
            known = {at: self._fold.at.get(self._place(at.topic, at.partition)) for at in partitions}
        return {at: held.offset + 1 for at, held in known.items() if held is not None and held.offset is not None}

    async def tick(self) -> None:
        """Look at the relay and the record: let idle partitions keep up, and read the record where topics fail us.

        Raises:
            psycopg.OperationalError: a database is away.
        """
        cursor, lasts = await self._relay()
        self.head = max(await self._reader.head(), self.head)
        self._fold.saw(cursor, lasts)
        if self._came_at < self._ticked_at:
            async with self._lock:
                await self._fold.keep_up()
        self._ticked_at = time.monotonic()
        self._choose(cursor)
        if self.from_record:
            while self._fold.lowest < self.head and not self._stop.is_set():
                async with self._lock:
                    await self._read_page(self.head)

    def _choose(self, cursor: int) -> None:
        lowest, now = self._fold.lowest, time.monotonic()
        if self.from_record:
            # The relay has come as far as we have: from here on topics bring what is new.
            self.from_record = not self._settings.bootstrap() or cursor < lowest
            self._behind = None
            if not self.from_record:
                _log.info("projector.reads_topics", position=lowest)
        elif lowest >= (self.head if self._behind is None else self._behind[0]):
            self._behind = (self.head, now) if lowest < self.head else None
        elif self._behind is None:
            self._behind = (self.head, now)
        elif now - max(self._behind[1], self._came_at) > QUIET_SECONDS:
            self.from_record = True
            _log.warning("projector.reads_record", position=lowest, head=self.head, published=cursor)

    async def _head_beyond(self, position: int) -> int:
        """The record's end, asked for when this position is above what we know; unknown while the record is away."""
        if position > self.head:
            try:
                self.head = max(await self._reader.head(), self.head)
            except OperationalError:
                return _LARGEST
        return self.head

    async def _relay(self) -> tuple[int, dict[Place, int]]:
        """How far the relay is, and the last position that each partition holds; one statement, one moment."""
        async with self._record.connection() as connection:
            cursor = await connection.execute(
                "SELECT c.position, p.topic, p.partition, p.position FROM service.relay_cursor AS c "
                "LEFT JOIN service.relay_partitions AS p USING (prefix) WHERE c.prefix = %s",
                (self._settings.topic_prefix,),
            )
            rows = await cursor.fetchall()
        lasts = {self._place(topic, partition): last for _, topic, partition, last in rows if topic is not None}
        return (rows[0][0] if rows else 0), lasts

    async def _read_record(self) -> None:
        head = await self._reader.head()
        while self._fold.lowest < head and not self._stop.is_set():
            await self._read_page(head)

    async def _read_page(self, head: int) -> None:
        rows = await self._reader.read(self._fold.lowest, _PAGE, topics=self._topics)
        entries = [Recorded(row, self._settings.topic_partitions) for row in rows]
        try:
            await self._fold.fold(entries, rows[-1].position if rows else head)
        except Gap:
            # They were read behind a position that is no more: the next page begins where the read models are now.
            _log.info("projector.gap", position=self._fold.lowest)

    def _place(self, topic: str, partition: int) -> Place:
        return topic.removeprefix(self._settings.topic_prefix), partition
