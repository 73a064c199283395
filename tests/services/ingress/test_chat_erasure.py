"""A visitor is erased while the chat is open: the thread begins anew, and nobody sees the old one again."""

from collections.abc import AsyncGenerator

import pytest

from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.erase import erase
from services.settings import Settings
from tests.services.ingress.chats import Chats, running_chats, visit


@pytest.fixture
async def chats(settings: Settings) -> AsyncGenerator[Chats]:
    async with running_chats(settings) as made:
        yield made


async def test_an_erased_thread_begins_anew(chats: Chats, settings: Settings) -> None:
    async with visit(chats) as sara:
        first_id = (await sara.writes("one"))["id"]
        await sara.writes("two")
        async with pool(settings.record_url) as record, pool(settings.keys_url) as keys:
            ring = Ring(keys, Vault(settings.secrets()))
            gone = await erase(settings, record, keys, ring, tenant="shop", address=f"chat:v.{sara.name}")
        assert gone.destroyed["raw_requests"] == 2
        third = await sara.tell("three")
        assert await sara.closing() == 1013
    async with visit(chats, sara.name, after=2) as later:
        assert later.welcome["last"] == 1
        assert (await later.hears())["text"] == "three"
        assert (await later.writes("three", third))["number"] == 1
        # What was erased stays known as taken: its repeat is no new message.
        assert (await later.writes("one", first_id))["number"] == 1
        assert (await later.writes("four"))["number"] == 2
    assert chats.count() == 4
