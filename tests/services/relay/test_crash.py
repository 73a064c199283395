import asyncio
import signal
from contextlib import AsyncExitStack

import psycopg

from services.settings import Settings
from tests.services.relay import process
from tests.services.relay.wire import caught_up, check_whole, read_topic, relaying, until, writer


async def test_killed_while_sending_loses_nothing(wired: Settings) -> None:
    source = await writer(wired)
    writing = asyncio.create_task(source.write(6_000, group=60))
    for milliseconds in (30, 170, 400):
        relay = await asyncio.to_thread(process.start, wired)
        await asyncio.sleep(milliseconds / 1000)
        relay.send_signal(signal.SIGKILL)
        relay.wait()
    await writing
    async with relaying(wired) as last:
        await caught_up(last, wired)
    check_whole(await read_topic(wired), source.written)


async def test_sent_but_cursor_not_moved_makes_duplicates_only(wired: Settings) -> None:
    source = await writer(wired)
    with psycopg.connect(wired.record_url, autocommit=True) as record:
        async with relaying(wired) as relay:
            await source.write(200)
            await caught_up(relay, wired)
            cursor = record.execute("SELECT position FROM service.relay_cursor").fetchone()
            noted = record.execute("SELECT position, topic, partition FROM service.relay_partitions").fetchall()
            await source.write(100)
            await caught_up(relay, wired)
        record.execute("UPDATE service.relay_cursor SET position = %s", cursor)
        for row in noted:
            record.execute("UPDATE service.relay_partitions SET position = %s WHERE (topic, partition) = (%s, %s)", row)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    assert check_whole(await read_topic(wired), source.written) == 100


async def test_of_two_relays_one_publishes_and_the_other_takes_over(wired: Settings) -> None:
    source = await writer(wired)
    async with AsyncExitStack() as both, AsyncExitStack() as one:
        first = await one.enter_async_context(relaying(wired))
        second = await both.enter_async_context(relaying(wired))
        await source.write(100)
        await caught_up(first, wired)
        await until(lambda: second.status().ok and second.status().position == first.status().position)
        writing = asyncio.create_task(source.write(400, group=5))
        await one.aclose()
        await writing
        await caught_up(second, wired, seconds=10)
        assert second.status().ok
    assert check_whole(await read_topic(wired), source.written) == 0


async def test_an_old_relay_that_wakes_up_is_fenced(wired: Settings) -> None:
    source = await writer(wired)
    old = await asyncio.to_thread(process.start, wired)
    writing = asyncio.create_task(source.write(300, group=5))
    await asyncio.sleep(0.1)
    old.send_signal(signal.SIGSTOP)
    await writing
    async with relaying(wired) as new:
        await caught_up(new, wired)
        writing = asyncio.create_task(source.write(2_000, group=20))
        old.send_signal(signal.SIGCONT)
        await writing
        await caught_up(new, wired)
        assert new.status().ok
        assert old.poll() is None, "it stands by"
    old.kill()
    old.wait()
    check_whole(await read_topic(wired), source.written)
