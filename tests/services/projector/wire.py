"""A record with facts in it, and a relay that can also do what a relay never should."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from channels.contract import Heard, Origin
from projections.generation import digest
from schemas.interaction import Content, DeliveryState, InteractionReceived, ReceiptReported, Recipient
from services import database, topics
from services.cloudevents import to_headers
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.log_reader import Recorded
from services.produce import abandon, producer
from services.projector.generations import live
from services.record.append import Appender
from services.record.facts import addresses, fact_row
from services.record.reader import Reader, Row
from services.settings import Settings

TENANT = "acme"
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_INBOX = UUID(int=7)
_ORIGIN = Origin(TENANT, "test:inbox")


@dataclass
class Wire:
    """One installation's record and topics, written by hand."""

    settings: Settings
    pool: AsyncConnectionPool
    ring: Ring
    reader: Reader
    appender: Appender
    sender: AIOKafkaProducer | None
    made: int = 0
    published: int = 0
    lasts: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    async def record(self, count: int, *, addresses_used: int = 20, receipts: bool = False) -> int:
        """Append so many facts; returns the last position."""
        heard = [_heard(self.made + n, addresses_used, receipt=receipts and n % 3 == 0) for n in range(count)]
        self.made += count
        return await self.append(heard)

    async def append(self, heard: Sequence[Heard]) -> int:
        """Append these; returns the last position."""
        subjects = await self.ring.subjects(addresses(TENANT, heard))
        for at in range(0, len(heard), 500):
            raw_id = uuid4()
            rows = [
                fact_row(
                    one,
                    origin=_ORIGIN,
                    inbox_id=_INBOX,
                    raw_id=raw_id,
                    subject=subjects[TENANT, one.address],
                    received_at=NOON,
                )
                for one in heard[at : at + 500]
            ]
            await self.appender.new_of([(row.event_id, row.revision, row.tenant, raw_id) for row in rows])
            await self.appender.commit(rows)
        return await self.reader.head()

    async def publish(self, *, after: int | None = None, note: bool = True) -> None:
        """Send what is behind the cursor, or again behind `after`; `note` moves the cursor, as a relay does."""
        assert self.sender is not None
        position = self.published if after is None else after
        while rows := await self.reader.read(position, 2000):
            futures = [await self._send(row) for row in rows]
            for future in futures:
                await future
            position = rows[-1].position
        self.published = max(self.published, position)
        if note:
            await self.note()

    async def _send(self, row: Row) -> asyncio.Future[Any]:
        assert self.sender is not None
        partition = Recorded(row, self.settings.topic_partitions).partition
        place = (self.settings.topic_prefix + row.topic, partition)
        headers = to_headers(row, self.lasts.get(place, 0), "http://test")
        self.lasts[place] = max(row.position, self.lasts.get(place, 0))
        client: Any = self.sender
        return await client.send(
            place[0], row.payload, key=str(row.subject).encode(), partition=partition, headers=headers
        )

    async def note(self) -> None:
        """Move the relay's cursor to what is published."""
        async with self.pool.connection() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO service.relay_cursor (prefix, position, epoch) VALUES (%s, %s, 1) "
                "ON CONFLICT (prefix) DO UPDATE SET position = excluded.position",
                (self.settings.topic_prefix, self.published),
            )
            for (topic, partition), position in self.lasts.items():
                await connection.execute(
                    "INSERT INTO service.relay_partitions VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT (prefix, topic, partition) DO UPDATE SET position = excluded.position",
                    (self.settings.topic_prefix, topic, partition, position),
                )

    async def reconnect(self) -> None:
        """Forget what was known of the topics."""
        assert self.sender is not None
        await abandon(self.sender)
        self.sender = producer(self.settings, client_id="test")
        await self.sender.start()

    async def poison(self, value: bytes, headers: list[tuple[str, bytes]], *, partition: int = 0) -> None:
        """Write something to `interactions` that is not ours."""
        assert self.sender is not None
        name = self.settings.topic_prefix + "interactions"
        await self.sender.send_and_wait(name, value, partition=partition, headers=headers)


@asynccontextmanager
async def wire_of(settings: Settings) -> AsyncGenerator[Wire]:
    """Open it; with topics when the settings have a broker."""
    pool = database.pool(settings.database_url, size=3, options="-c TimeZone=UTC")
    await pool.open()
    sender = None
    if settings.bootstrap():
        await topics.create(settings)
        sender = producer(settings, client_id="test")
        await sender.start()
    ring = Ring(pool, Vault(settings.secrets()))
    appender = await Appender.open(settings.database_url)
    wire = Wire(settings, pool, ring, Reader(pool, ring), appender, sender)
    try:
        yield wire
    finally:
        await appender.close()
        if wire.sender is not None:
            await abandon(wire.sender)
        await pool.close()


async def serving(settings: Settings) -> dict[str, tuple[int, int]]:
    """Rows and checksums of the live timeline."""
    async with await AsyncConnection.connect(
        settings.views_url, autocommit=True, options="-c TimeZone=UTC"
    ) as connection:
        return await digest(connection, (await live(connection))["timeline"].schema)


async def counted(settings: Settings, sql: LiteralString) -> int:
    """One number."""
    async with await AsyncConnection.connect(settings.views_url, autocommit=True) as connection:
        row = await (await connection.execute(sql)).fetchone()
        return -1 if row is None else int(row[0])


def _heard(number: int, addresses_used: int, *, receipt: bool) -> Heard:
    address = f"tel:+98912{number % addresses_used:07}"
    occurred_at = NOON + timedelta(seconds=number)
    if receipt:
        states: list[DeliveryState] = ["sent", "delivered", "failed"]
        reported = ReceiptReported(
            interaction_id=UUID(int=0x2000_0000 + number // 9),
            channel="sms/twilio",
            state=states[number // 3 % 3],
            reported="x",
            personal=Recipient(address=address),
        )
        return Heard(f"r{number}", address, reported, occurred_at)
    return said(number, address, f"سلام {number}", occurred_at)


def said(number: int, address: str, text: str, occurred_at: datetime = NOON) -> Heard:
    """A message."""
    fact = InteractionReceived(
        interaction_id=UUID(int=0x1000_0000 + number),
        kind="message",
        channel="sms/twilio",
        personal=Content(address=address, text=text),
    )
    return Heard(f"m{number}", address, fact, occurred_at)
