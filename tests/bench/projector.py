"""The projector: events a second from Kafka into the timeline, beside a transaction for each event and bare reading."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection, sql

from projections.generation import enter
from projections.timeline.projection import TIMELINE
from services.projector.rebuild import rebuild
from services.record.reader import event_of
from services.settings import Settings
from tests.bench.figures import Figure, paired, single
from tests.bench.stand import Servers, running
from tests.services.projector.wire import Wire, wire_of

_EVENTS = 60_000
_ONE_BY_ONE = 1_000
_ROUNDS = 5
_PATIENCE_SECONDS = 120.0
_COUNT = "SELECT count(*) FROM timeline_g1.interactions"


def projector(found: Servers) -> list[Figure]:
    """60,000 messages of 2,000 customers, read five times, each time into empty tables."""
    settings = found.settings()
    return asyncio.run(_measured(settings))


async def _measured(settings: Settings) -> list[Figure]:
    live: list[float] = []
    single_events: list[float] = []
    bare: list[float] = []
    rebuilt: list[float] = []
    async with wire_of(settings) as wire:
        await wire.record(_EVENTS, addresses_used=2_000)
        await wire.publish()
        for _ in range(_ROUNDS):
            _forget(settings)
            with running(settings, "projector"):
                live.append(await asyncio.to_thread(_live, settings))
                rebuilt.append(await _rebuilt(settings))
            bare.append(await _bare(settings))
            single_events.append(await _one_by_one(wire))
    return [
        single("projector", live, "events/s", "≥ 20000"),
        paired("projector", live, single_events, "events/s", "a transaction for each event"),
        paired("projector", live, bare, "events/s", "bare aiokafka, nothing decoded"),
        paired("rebuild from the record", rebuilt, live, "events/s", "live from Kafka"),
    ]


def _forget(settings: Settings) -> None:
    with psycopg.connect(settings.views_url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT name || '_g' || generation FROM views.models").fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        connection.execute("TRUNCATE views.models, views.positions, views.parked")
        connection.execute("CHECKPOINT")


def _live(settings: Settings) -> float:
    """From the first tenth to the end: without the joining of the group."""
    deadline, began, first = time.perf_counter() + _PATIENCE_SECONDS, 0.0, 0
    with psycopg.connect(settings.views_url, autocommit=True) as connection:
        while True:
            row = connection.execute(_COUNT).fetchone()
            count, now = 0 if row is None else int(row[0]), time.perf_counter()
            if not began and count >= _EVENTS // 10:
                began, first = now, count
            if count == _EVENTS:
                return (count - first) / (now - began)
            assert now < deadline, f"the projector is at {count} of {_EVENTS}"
            time.sleep(0.1)


async def _rebuilt(settings: Settings) -> float:
    began = time.perf_counter()
    report = await rebuild(settings, "timeline")
    assert report.compared, "there was nothing to compare with"
    assert not report.differences, f"a rebuild differs: {report.differences}"
    return report.events / (time.perf_counter() - began)


async def _bare(settings: Settings) -> float:
    name = settings.topic_prefix + "interactions"
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        began, count = time.perf_counter(), 0
        while count < _EVENTS:
            found = cast("dict[Any, list[Any]]", await consumer.getmany(timeout_ms=1000, max_records=5000))
            count += sum(map(len, found.values()))
        return count / (time.perf_counter() - began)
    finally:
        await consumer.stop()


async def _one_by_one(wire: Wire) -> float:
    """The same read model, each event and the position in a transaction of their own."""
    rows = await wire.reader.read(0, _ONE_BY_ONE)
    async with _scratch(wire.settings) as connection:
        began = time.perf_counter()
        for row in rows:
            async with connection.transaction():
                await enter(connection, "scratch")
                await TIMELINE.apply([event_of(row)], connection)
                await connection.execute("UPDATE at SET position = %s", (row.position,))
        return len(rows) / (time.perf_counter() - began)


@asynccontextmanager
async def _scratch(settings: Settings) -> AsyncGenerator[AsyncConnection]:
    async with await AsyncConnection.connect(settings.views_url, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA scratch")
        async with connection.transaction():
            await enter(connection, "scratch")
            await connection.execute(TIMELINE.ddl)
            await connection.execute("CREATE TABLE at (position bigint)")
            await connection.execute("INSERT INTO at VALUES (0)")
        yield connection
        await connection.execute("DROP SCHEMA scratch CASCADE")
