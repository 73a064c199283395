"""Writes facts as ingress does, and reads back what the relay made of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.interaction import Content, InteractionReceived
from services import database, topics
from services.cloudevents import position_of, previous_of
from services.keys.ring import Ring, Subject
from services.keys.vault import Vault, event_context, seal
from services.produce import connection
from services.record.append import Appender, FactRow
from services.relay import app, content
from services.relay.relay import Relay
from services.settings import Settings

INBOX = uuid4()


@dataclass
class Writer:
    """Appends facts about a few customers; keeps the event ids."""

    settings: Settings
    subjects: list[Subject]
    written: set[UUID]

    async def write(self, count: int, *, group: int = 50, text: str = "سلام") -> None:
        appender = await Appender.open(self.settings.record_url)
        for start in range(0, count, group):
            rows = [self._fact(start + n, text) for n in range(min(group, count - start))]
            await appender.new_of([(row.event_id, 1, "acme", row.raw_id or row.event_id) for row in rows])
            await appender.commit(rows)
            self.written |= {row.event_id for row in rows}
        await appender.close()

    def _fact(self, number: int, text: str) -> FactRow:
        event_id, subject = uuid4(), self.subjects[number % len(self.subjects)]
        content = Content(address="tel:+989121234567", text=text)
        fact = InteractionReceived(interaction_id=event_id, kind="message", channel="sms/twilio", personal=content)
        sealed = seal(subject.cipher, fact.personal_json() or b"", event_context(event_id.bytes, 1))
        return FactRow(
            event_id=event_id,
            tenant="acme",
            topic="interactions",
            type=fact.type,
            version=fact.version,
            subject=subject.address_id,
            inbox_id=INBOX,
            raw_id=uuid4(),
            occurred_at=datetime.now(UTC),
            data=fact.clear_json(),
            personal=sealed,
        )


async def writer(settings: Settings, subjects: int = 20) -> Writer:
    async with database.pool(settings.keys_url) as pool:
        made = await Ring(pool, Vault(settings.secrets())).subjects(
            [("acme", f"tel:+98912000{n:04}") for n in range(subjects)]
        )
    return Writer(settings, list(made.values()), set())


@contextlib.asynccontextmanager
async def relaying(settings: Settings) -> AsyncGenerator[Relay]:
    """A relay that runs in this process."""
    stop, ready, relays = asyncio.Event(), asyncio.Event(), list[Relay]()
    running = asyncio.create_task(app.run(settings, stop, ready.set, started=relays.append))
    await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield relays[0]
    finally:
        stop.set()
        await running


async def until(told: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not told():  # noqa: ASYNC110 - nobody signals it
            await asyncio.sleep(0.02)


async def caught_up(relay: Relay, settings: Settings, seconds: float = 60.0) -> None:
    """Until the cursor is at the record's end."""
    async with database.pool(settings.record_url, size=1) as pool, pool.connection() as held, asyncio.timeout(seconds):
        while True:
            row = await (await held.execute("SELECT coalesce(max(position), 0) FROM record.facts")).fetchone()
            if row is not None and relay.status().position >= row[0]:
                return
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Read:
    """A record as it stands on the topic."""

    partition: int
    offset: int
    position: int
    previous: int
    headers: dict[str, bytes]
    key: bytes
    value: bytes


async def read_topic(settings: Settings, topic: str = "interactions") -> list[Read]:
    """Every record that the topic holds, by partition and offset."""
    name = topics.name_of(settings, topic)
    held = [TopicPartition(name, n) for n in range(settings.topic_partitions)]
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        starts, ends = await content.offsets(consumer, held)
        consumer.assign(held)
        found: list[Read] = []
        async with asyncio.timeout(60):
            while len(found) < sum(ends[at] - starts[at] for at in held):
                fetched = cast("dict[TopicPartition, list[Any]]", await consumer.getmany(timeout_ms=200))
                for at, records in fetched.items():
                    found += [
                        Read(
                            partition=at.partition,
                            offset=record.offset,
                            position=position_of(record.headers),
                            previous=previous_of(record.headers),
                            headers=dict(record.headers),
                            key=record.key or b"",
                            value=record.value or b"",
                        )
                        for record in records
                    ]
    finally:
        await consumer.stop()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def check_whole(records: list[Read], written: set[UUID]) -> int:
    """None lost, and a reader that skips what is not above its position sees them in order; returns the duplicates."""
    assert {UUID(record.headers["ce_eventid"].decode()) for record in records} == written
    at: dict[int, int] = {}
    duplicates = 0
    for record in records:
        if record.position <= at.get(record.partition, 0):
            duplicates += 1
            continue
        assert record.previous == at.get(record.partition, 0), "a reader would think that it missed something"
        at[record.partition] = record.position
    assert len(records) - duplicates == len(written)
    return duplicates
