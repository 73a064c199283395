"""One life of a producer: see what the broker holds, bring it up to the record, and follow the record from there."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from services import topic_state, topics
from services.produce import abandon, connection, producer
from services.record.reader import Reader
from services.relay import content
from services.relay.batches import Batches, Packer
from services.relay.cursor import Cursor
from services.relay.plan import Plan, plan
from services.settings import Settings

_ROWS: Final = 2_000
_IN_FLIGHT: Final = 3
_ACK_SECONDS: Final = 15.0
_POLL_SECONDS: Final = (0.005, 0.02)
_LOOK_SECONDS: Final = 2.0
_LOOK_TIMEOUT_SECONDS: Final = 5.0
_log: Final = structlog.get_logger()


class Shrunk(Exception):
    """The broker lost records while we were writing: from these offsets on, partitions are out of order."""

    def __init__(self, offsets: Mapping[TopicPartition, int]) -> None:
        """`offsets` are where the next record went, below where it should have gone."""
        lost = ", ".join(f"{at.topic}/{at.partition} from {offset}" for at, offset in offsets.items())
        super().__init__(f"the broker lost records of {lost}")
        self.offsets: Final = dict(offsets)


@dataclass(frozen=True, slots=True)
class _Sent:
    position: int
    lasts: dict[TopicPartition, int]
    awaited: list[tuple[TopicPartition, int, asyncio.Future[Any]]]


class Session:
    """Ends with an exception, whatever goes wrong; the next session begins from what the cursor says."""

    def __init__(self, settings: Settings, reader: Reader, cursor: Cursor, told: Callable[[int, int], None]) -> None:
        """`told` hears the cursor's position each time that it is known to be on the broker, and how many are new."""
        self._settings: Final = settings
        self._reader: Final = reader
        self._cursor: Final = cursor
        self._told: Final = told
        self._ends: Final[dict[TopicPartition, int]] = {}

    async def run(self, stop: asyncio.Event, doubted: Mapping[TopicPartition, int]) -> None:
        """Publish until `stop`; what was sent by then is acknowledged and noted.

        Raises:
            Shrunk: the broker holds less than it acknowledged; begin again with its offsets as `doubted`.
            Fenced: another relay works.
            TopicsMissing, aiokafka.errors.KafkaError, TimeoutError: the broker is not as it must be, or away.
            psycopg.OperationalError: PostgreSQL is away.
        """
        await topics.create(self._settings)
        largest = await topic_state.check(self._settings)
        async with AsyncExitStack() as stack:
            consumer = await stack.enter_async_context(content.open_consumer(self._settings))
            planned = await self._compare(consumer, doubted)
            sender = producer(self._settings, client_id="tamas-relay", largest_bytes=largest)
            stack.push_async_callback(abandon, sender)
            await sender.start()
            self._told(self._cursor.position, 0)
            packer = Packer(self._settings, largest, planned.holds)
            looking = asyncio.create_task(self._keep_looking(consumer))
            publishing = asyncio.create_task(self._publish(sender, packer, planned.after, stop))
            try:
                await asyncio.wait([looking, publishing], return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended = [task for task in (publishing, looking) if task.done()]
                for task in (looking, publishing):
                    task.cancel()
                await asyncio.gather(looking, publishing, return_exceptions=True)
            ended[0].result()

    async def _compare(self, consumer: AIOKafkaConsumer, doubted: Mapping[TopicPartition, int]) -> Plan:
        names = topics.names(self._settings)
        partitions = [TopicPartition(name, n) for name in names for n in range(self._settings.topic_partitions)]
        held = await content.look(consumer, partitions, doubted)
        floor = await self._reader.position_at(datetime.now(UTC) - timedelta(seconds=topics.RETENTION_SECONDS))
        made = plan(held, self._cursor.partitions, self._cursor.position, floor)
        self._ends.update({partition: found.end for partition, found in held.items()})
        if made.lacking:
            _log.warning("relay.refill", after=made.after, partitions=[f"{at[0]}/{at[1]}" for at in made.lacking])
            # Noted before anything is written: a crash on the way goes on from here.
            await self._cursor.move(made.after, made.lacking)
            await self._purge(made.purge)
        return made

    async def _purge(self, ends: Mapping[TopicPartition, int]) -> None:
        if not ends:
            return
        admin = AIOKafkaAdminClient(**connection(self._settings), client_id="tamas-relay-purge")
        try:
            await admin.start()
            await admin.delete_records({partition: RecordsToDelete(end) for partition, end in ends.items()})
        except KafkaError as error:
            # It only hides the older records from readers that begin at the topic's start; those compare prevposition.
            _log.warning("relay.purge_refused", error=str(error))
        finally:
            await admin.close()

    async def _publish(self, sender: AIOKafkaProducer, packer: Packer, after: int, stop: asyncio.Event) -> None:
        sent: deque[_Sent] = deque()
        pause = _POLL_SECONDS[0]
        reading = asyncio.create_task(self._reader.read(after, _ROWS))
        try:
            while not stop.is_set():
                rows = await reading
                if rows:
                    after, pause = rows[-1].position, _POLL_SECONDS[0]
                    reading = asyncio.create_task(self._reader.read(after, _ROWS))
                    sent.append(await self._send(sender, await packer.pack(rows, sender), after))
                if sent and (not rows or len(sent) >= _IN_FLIGHT or not reading.done()):
                    await self._settle(sent.popleft())
                if not rows:
                    if not sent:
                        await asyncio.sleep(pause)
                        pause = min(pause * 2, _POLL_SECONDS[1])
                    reading = asyncio.create_task(self._reader.read(after, _ROWS))
            while sent:
                await self._settle(sent.popleft())
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _send(self, sender: AIOKafkaProducer, batches: Batches, position: int) -> _Sent:
        sent = _Sent(position, batches.lasts, [])
        for at, builders in batches.builders.items():
            for builder in builders:
                count = builder.record_count()
                future = cast("asyncio.Future[Any]", await sender.send_batch(builder, at.topic, partition=at.partition))
                future.add_done_callback(_seen)
                sent.awaited.append((at, count, future))
        return sent

    async def _settle(self, sent: _Sent) -> None:
        lost: dict[TopicPartition, int] = {}
        await _acknowledged([future for _, _, future in sent.awaited])
        for at, count, future in sent.awaited:
            offset = future.result().offset
            # -1: a repeat that the broker knew, but no longer where.
            if 0 <= offset < self._ends[at]:
                lost.setdefault(at, offset)
            self._ends[at] = max(self._ends[at], offset) + count
        if lost:
            raise Shrunk(lost)
        await self._cursor.move(sent.position, sent.lasts)
        self._told(sent.position, sum(count for _, count, _ in sent.awaited))

    async def _keep_looking(self, consumer: AIOKafkaConsumer) -> None:
        """Topics are deleted and brokers emptied also where nothing is being written."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            acknowledged = dict(self._ends)
            try:
                async with asyncio.timeout(_LOOK_TIMEOUT_SECONDS):
                    _, ends = await content.offsets(consumer, list(acknowledged))
            except (TimeoutError, KafkaError):
                # A topic is gone, or a broker was killed and the others don't know it yet (9 s by default): only in the
                # first case is this session at its end. In the second its producer waits, and sends nothing twice.
                await topic_state.check(self._settings)
                continue
            lost = {at: ends[at] for at, end in acknowledged.items() if ends[at] < end}
            if lost:
                raise Shrunk(lost)
            await self._cursor.touch()
            self._told(self._cursor.position, 0)


async def _acknowledged(futures: list[asyncio.Future[Any]]) -> None:
    if not futures:
        return
    # Not awaited themselves: being cancelled would cancel them too, and leave aiokafka's own errors to nobody.
    done, waiting = await asyncio.wait(futures, timeout=_ACK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
    for future in done:
        future.result()
    if waiting:
        raise TimeoutError(f"the broker did not acknowledge within {_ACK_SECONDS:.0f} s")


def _seen(future: asyncio.Future[Any]) -> None:
    # One failure ends the session; those of the other batches are the same story.
    if not future.cancelled():
        future.exception()
