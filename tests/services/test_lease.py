import asyncio

import pytest

from services import database, lease
from services.record.errors import Fenced
from services.settings import Settings


async def test_one_holder_at_a_time(settings: Settings) -> None:
    async with database.pool(settings.record_url, role="tamas_relay") as pool:
        assert await lease.acquire(pool, "work", "a") == 1
        assert await lease.acquire(pool, "work", "b") is None
        assert await lease.acquire(pool, "other work", "b") == 1
        await lease.release(pool, "work", 1)
        assert await lease.acquire(pool, "work", "b") == 2
        with pytest.raises(Fenced):
            await lease.renew(pool, "work", 1)
        await lease.release(pool, "work", 1)
        assert await lease.acquire(pool, "work", "a") is None, "the old holder's release takes nothing from the new one"


async def test_many_are_renewed_at_once_and_lost_ones_are_named(settings: Settings) -> None:
    async with database.pool(settings.record_url, role="tamas_relay") as pool:
        held = {name: await lease.acquire(pool, name, "a") or 0 for name in ("one", "two", "three")}
        assert await lease.renew_all(pool, held) == set()
        await lease.release(pool, "two", held["two"])
        assert await lease.acquire(pool, "two", "b") == 2
        assert await lease.renew_all(pool, held | {"four": 1}) == {"two", "four"}
        assert await lease.acquire(pool, "one", "b") is None


async def test_it_runs_out_unless_renewed(settings: Settings) -> None:
    async with database.pool(settings.record_url, role="tamas_relay") as pool:
        epoch = await lease.acquire(pool, "work", "a")
        assert epoch == 1
        for _ in range(4):
            await asyncio.sleep(lease.RENEW_SECONDS)
            await lease.renew(pool, "work", epoch)
        assert await lease.acquire(pool, "work", "b") is None
        await asyncio.sleep(lease.SECONDS + 0.2)
        await lease.renew(pool, "work", epoch)
        await asyncio.sleep(lease.SECONDS + 0.2)
        assert await lease.acquire(pool, "work", "b") == 2


async def test_many_at_once_get_it_once(settings: Settings) -> None:
    async with database.pool(settings.record_url, size=8) as pool:
        epochs = await asyncio.gather(*(lease.acquire(pool, "work", f"holder {n}") for n in range(20)))
    assert sorted(epoch for epoch in epochs if epoch is not None) == [1]
