"""Pools and connections, while a server restarts or says nothing."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.database import patient, pool
from services.settings import Settings
from tests.gateway import gateway


async def _ask(held: AsyncConnectionPool) -> Any:
    async with held.connection() as connection:
        return await (await connection.execute("SELECT 1")).fetchone()


async def test_the_first_request_after_a_restart_has_a_connection(settings: Settings) -> None:
    async with gateway(settings) as (gate, through), pool(through.record_url, size=6) as held:
        await asyncio.gather(*(_busy(held) for _ in range(6)))
        gate.cut()
        assert await _ask(held) == (1,)


async def test_who_asks_during_a_restart_waits_for_its_end(settings: Settings) -> None:
    async with gateway(settings) as (gate, through), pool(through.record_url, size=6) as held:
        await asyncio.gather(*(_busy(held) for _ in range(6)))
        gate.close()
        asking = asyncio.create_task(_ask(held))
        await asyncio.sleep(1)
        assert not asking.done()
        await gate.open()
        assert await asking == (1,)


async def _busy(held: AsyncConnectionPool) -> None:
    async with held.connection() as connection:
        await connection.execute("SELECT pg_sleep(0.2)")


async def test_a_silent_server_is_left(settings: Settings) -> None:
    async with gateway(settings) as (gate, through), pool(through.record_url, size=2, patience_seconds=2) as held:
        await _ask(held)
        gate.silence()
        with pytest.raises(psycopg.OperationalError):
            await _ask(held)
        gate.speak()
        assert await _ask(held) == (1,)


async def test_a_statement_that_is_not_answered_ends(settings: Settings) -> None:
    connection = await patient(0.3).connect(settings.record_url, autocommit=True)
    with pytest.raises(psycopg.OperationalError):
        await connection.execute("SELECT pg_sleep(60)")
    assert connection.closed


async def test_who_is_cancelled_does_not_wait_for_the_server(settings: Settings) -> None:
    async with gateway(settings) as (gate, through):
        connection: AsyncConnection = await patient(60).connect(through.record_url, autocommit=True)
        gate.silence()
        asking = asyncio.create_task(connection.execute("SELECT 1"))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.wait([asking], timeout=4)
        assert asking.cancelled()
        assert connection.closed


async def test_who_is_cancelled_while_being_served_hears_of_it(settings: Settings) -> None:
    async with pool(settings.record_url, size=1) as held:
        connection = await held.getconn()
        asking = asyncio.create_task(held.getconn())
        await asyncio.sleep(0.1)
        await held.putconn(connection)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert await _ask(held) == (1,)
