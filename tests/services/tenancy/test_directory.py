"""The edge's view: doors by key, by address and by id, with a real PostgreSQL that may go away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from channels.sms.twilio import Twilio
from services.database import pool
from services.keys.vault import Vault
from services.settings import Settings
from services.tenancy.directory import Directory
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.tenancy.inboxes import FORM, MAIL, SMS


@pytest.fixture
def tenancy(settings: Settings) -> Iterator[Tenancy]:
    made = Tenancy(settings)
    made.add_tenant(RegisterTenant("acme", "Acme", region="DE", language="en"))
    yield made
    made.close()


@pytest.fixture
async def directory(settings: Settings) -> AsyncIterator[Directory]:
    record = pool(settings.record_url, role="tamas_ingress")
    keys = pool(settings.keys_url)
    async with record, keys:
        yield Directory(record, keys, Vault(settings.secrets()))


async def test_a_door_leads_to_its_inbox_with_a_working_channel(tenancy: Tenancy, directory: Directory) -> None:
    added = tenancy.add_inbox("acme", SMS)
    assert added.key is not None
    assert await directory.refresh()
    inbox = directory.find("sms/twilio", added.key)
    assert inbox is not None
    assert (inbox.tenant, inbox.region, inbox.language) == ("acme", "DE", "en")
    assert (inbox.natural_name, inbox.address) == ("twilio:+982191000000", "+982191000000")
    assert inbox.origin.inbox == "twilio:+982191000000"
    assert isinstance(inbox.handler, Twilio)
    assert inbox.handler.config.auth_token.get_secret_value() == "twilio-secret"
    assert inbox.handler.config.region == "DE"
    assert directory.by_id(inbox.inbox_id) is inbox
    assert directory.find("forms/web", added.key) is None
    assert directory.find("sms/twilio", added.key[:-1]) is None


async def test_a_new_inbox_works_at_once(tenancy: Tenancy, directory: Directory) -> None:
    await directory.refresh()
    for new in (SMS, FORM):
        added = tenancy.add_inbox("acme", new)
        assert added.key is not None
        assert directory.find(new.channel, added.key) is None
        assert await directory.lookup(new.channel, added.key) is not None


async def test_many_who_miss_at_once_share_a_refresh(tenancy: Tenancy, directory: Directory) -> None:
    await directory.refresh()
    added = tenancy.add_inbox("acme", SMS)
    found = await asyncio.gather(*(directory.lookup("sms/twilio", added.key or "") for _ in range(50)))
    assert all(found)
    began: set[float] = set()

    async def guess() -> None:
        assert await directory.lookup("sms/twilio", "guessed") is None
        began.add(directory._started_at)

    started_at = time.monotonic()
    while time.monotonic() - started_at < 0.5:
        await asyncio.gather(*(guess() for _ in range(20)))
    assert 2 <= len(began) <= 6


@pytest.mark.parametrize(
    ("recipient", "found"),
    [
        ("help@shop.example", True),
        ("HELP@SHOP.EXAMPLE", True),
        ("help+7K3M2QXD@shop.example", True),
        ("helpx@shop.example", False),
        ("help@other.example", False),
        ("not an address", False),
        ("", False),
    ],
)
async def test_the_recipient_of_a_mail_finds_its_inbox(
    tenancy: Tenancy, directory: Directory, recipient: str, found: bool
) -> None:
    added = tenancy.add_inbox("acme", MAIL)
    await directory.refresh()
    inbox = await directory.lookup_address("email/smtp", recipient)
    assert (inbox is not None) == found
    tenancy.disable("acme", added.inbox.inbox_id)
    await directory.refresh()
    assert directory.by_address("email/smtp", recipient) is None


async def test_changes_arrive(tenancy: Tenancy, directory: Directory) -> None:
    added = tenancy.add_inbox("acme", SMS)
    inbox_id, key = added.inbox.inbox_id, added.key or ""
    await directory.refresh()
    tenancy.change_inbox("acme", inbox_id, {"region": "FR"}, {"auth_token": "the-next"}, grace=timedelta(hours=1))
    await directory.refresh()
    inbox = directory.find("sms/twilio", key)
    assert inbox is not None
    assert isinstance(inbox.handler, Twilio)
    assert inbox.handler.config.region == "FR"
    assert inbox.handler.config.auth_token.get_secret_value() == "the-next"
    assert inbox.handler.config.auth_token_previous is not None
    tenancy.disable("acme", inbox_id)
    await directory.refresh()
    inbox = directory.find("sms/twilio", key)
    assert inbox is not None
    assert inbox.disabled


async def test_an_old_door_closes_when_its_grace_has_passed(tenancy: Tenancy, directory: Directory) -> None:
    added = tenancy.add_inbox("acme", SMS)
    second = tenancy.rotate("acme", added.inbox.inbox_id, timedelta(hours=1))
    await directory.refresh()
    assert directory.find("sms/twilio", added.key or "") is directory.find("sms/twilio", second) is not None
    third = tenancy.rotate("acme", added.inbox.inbox_id, timedelta(0))
    await directory.refresh()
    assert directory.find("sms/twilio", added.key or "") is None
    assert directory.find("sms/twilio", second) is None
    assert directory.find("sms/twilio", third) is not None


async def test_a_broken_inbox_does_not_close_the_others(
    tenancy: Tenancy, directory: Directory, settings: Settings
) -> None:
    broken = tenancy.add_inbox("acme", SMS)
    other = tenancy.add_inbox("acme", replace(SMS, address="+982191000001"))
    with psycopg.connect(settings.keys_url) as connection:
        connection.execute("DELETE FROM keys.secrets WHERE inbox_id = %s", (broken.inbox.inbox_id,))
    await directory.refresh()
    assert directory.find("sms/twilio", broken.key or "") is None
    # Not a fault of who calls: that door is told apart from one that never was.
    assert directory.is_broken(broken.key or "")
    assert not directory.is_broken(other.key or "")
    assert not directory.is_broken("guessed")
    assert directory.find("sms/twilio", other.key or "") is not None


async def test_a_setting_that_this_version_cannot_read_is_passed_over(
    tenancy: Tenancy, directory: Directory, settings: Settings
) -> None:
    with psycopg.connect(settings.record_url) as connection:
        connection.execute(
            "INSERT INTO record.decisions (originator_id, originator_version, tenant, topic, type, version, event_id, "
            "recorded_at, state_topic, state) VALUES (gen_random_uuid(), 1, 'acme', 'settings', 'inbox.painted', 1, "
            "gen_random_uuid(), record.tick(), 'inbox.painted.v1', '{\"type\":\"inbox.painted\"}')"
        )
    added = tenancy.add_inbox("acme", SMS)
    await directory.refresh()
    assert directory.find("sms/twilio", added.key or "") is not None


async def test_memory_serves_while_the_database_is_away(
    tenancy: Tenancy, directory: Directory, settings: Settings, postgres_url: str
) -> None:
    added = tenancy.add_inbox("acme", SMS)
    assert directory.away
    assert await directory.refresh()
    assert not directory.away
    tenancy.close()
    name = settings.record_url.rsplit("/", 1)[1]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        assert not await directory.refresh()
        assert directory.away
        assert await directory.lookup("sms/twilio", added.key or "") is not None
        assert await directory.lookup("sms/twilio", "nobody") is None
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert await directory.refresh()
