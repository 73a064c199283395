import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool

from services.database import pool
from services.keys import erasures
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.settings import Settings

WHO = ("acme", "tel:+989121234567")


@asynccontextmanager
async def ringing(settings: Settings) -> AsyncGenerator[tuple[Ring, Erasures]]:
    async with pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        yield ring, Erasures(keys, ring)


def opened(settings: Settings) -> AsyncConnectionPool:
    return pool(settings.keys_url, size=1)


async def test_a_hidden_key_is_not_found_by_its_address_and_still_opens_until_it_is_destroyed(
    settings: Settings,
) -> None:
    async with ringing(settings) as (ring, _), pool(settings.keys_url, size=1) as keys:
        old = (await ring.subjects([WHO]))[WHO]
        hidden = await erasures.hide(keys, ring, *WHO)
        assert hidden is not None
        assert hidden.address_id == old.address_id
        assert await ring.find(*WHO) is None
        new = (await ring.subjects([WHO]))[WHO]
        assert new.address_id != old.address_id
        async with ringing(settings) as (other, _):
            assert (await other.by_ids([old.address_id]))[old.address_id] is not None
        await erasures.destroy(keys, hidden)
        async with ringing(settings) as (other, _):
            found = await other.by_ids([old.address_id, new.address_id])
            assert found[old.address_id] is None
            assert found[new.address_id] is not None


async def test_an_erasure_that_was_cut_short_is_found_again_before_a_newer_key(settings: Settings) -> None:
    async with ringing(settings) as (ring, _), pool(settings.keys_url, size=1) as keys:
        assert await erasures.hide(keys, ring, *WHO) is None
        first = (await ring.subjects([WHO]))[WHO]
        await erasures.hide(keys, ring, *WHO)
        second = (await ring.subjects([WHO]))[WHO]
        again = await erasures.hide(keys, ring, *WHO)
        assert again is not None
        assert again.address_id == first.address_id
        await erasures.finish(keys, again)
        last = await erasures.hide(keys, ring, *WHO)
        assert last is not None
        assert last.address_id == second.address_id
        await erasures.finish(keys, last)
        assert await erasures.hide(keys, ring, *WHO) is None


async def test_another_process_seals_under_a_new_key_soon(settings: Settings) -> None:
    async with ringing(settings) as (ring, hears), ringing(settings) as (other, _), opened(settings) as keys:
        old = (await ring.subjects([WHO]))[WHO]
        await hears.refresh()
        assert ring.cached(*WHO) == old
        await erasures.hide(keys, other, *WHO)
        await hears.refresh()
        assert ring.cached(*WHO) is None
        new = (await ring.subjects([WHO]))[WHO]
        assert new.address_id != old.address_id
        await hears.refresh()
        assert ring.cached(*WHO) == new


async def test_keys_that_are_made_while_others_are_erased_are_all_there(settings: Settings) -> None:
    wanted = [("acme", f"tel:+98912000{n:04}") for n in range(200)]
    async with ringing(settings) as (ring, hears), ringing(settings) as (other, _), opened(settings) as keys:
        await ring.subjects(wanted)

        async def erase() -> None:
            for pair in wanted[::10]:
                await erasures.hide(keys, other, *pair)
                await hears.refresh()

        async def seal() -> None:
            for _ in range(50):
                assert (await ring.subjects(wanted)).keys() == set(wanted)
                await asyncio.sleep(0)

        await asyncio.gather(erase(), seal(), seal())
