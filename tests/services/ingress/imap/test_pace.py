"""A catch-up waits for who comes behind it: the relay and the parsers."""

import asyncio
from uuid import uuid4

from services import database
from services.ingress.imap import pace
from services.settings import Settings
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant


async def test_it_waits_while_many_mails_are_not_read_yet(settings: Settings) -> None:
    async with (
        database.pool(settings.record_url, role="tamas_ingress") as pool,
        database.pool(settings.record_url) as own,
    ):
        async with own.connection() as connection:
            await connection.execute(
                "INSERT INTO service.pending (raw_id, day, tenant, inbox_id) "
                "SELECT gen_random_uuid(), now(), 'acme', %s FROM generate_series(1, 201)",
                (uuid4(),),
            )
        waiting = asyncio.create_task(pace.keep(pool, "tamas."))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        async with own.connection() as connection:
            await connection.execute(
                "DELETE FROM service.pending WHERE ctid IN (SELECT ctid FROM service.pending LIMIT 1)"
            )
        assert await waiting > 0


async def test_and_while_the_relay_is_behind(settings: Settings) -> None:
    def begin() -> int:
        with Tenancy(settings) as tenancy:
            return tenancy.add_tenant(RegisterTenant(slug="acme", name="Acme"))

    position = await asyncio.to_thread(begin)
    async with (
        database.pool(settings.record_url, role="tamas_ingress") as pool,
        database.pool(settings.record_url) as own,
    ):
        async with own.connection() as connection:
            await connection.execute(
                "INSERT INTO service.relay_cursor (prefix, position, epoch) VALUES ('tamas.', 0, 1)"
            )
        await asyncio.sleep(1.1)
        assert await asyncio.wait_for(pace.keep(pool, "another."), 10) >= 0
        waiting = asyncio.create_task(pace.keep(pool, "tamas."))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        async with own.connection() as connection:
            await connection.execute("UPDATE service.relay_cursor SET position = %s", (position,))
        assert await waiting > 0
