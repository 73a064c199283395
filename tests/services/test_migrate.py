"""Migrations and partitions beside writers and long readers."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from channels.contract import Heard, InboundRequest, Origin
from schemas.interaction import Content, InteractionReceived
from services import migrate as module
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.submission import Away, Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.migrate import FACTS_PER_PARTITION, ensure_partitions, migrate, pending
from services.record.check import check
from services.record.errors import Refused
from services.settings import Settings
from tests.servers import SECRET

ORIGIN = Origin("acme", "twilio:+982112345678")
_FIRST = ("0001_record", "0002_roles", "0003_identity")
_HOLD = "SELECT FROM record.facts, record.raw LIMIT 1"
_KEYS = "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'record.facts_6'::regclass"
_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'record.facts'::regclass"


@pytest.fixture
def first(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation as the first migrations of the record made it."""
    name = f"m_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
    settings = Settings.model_validate({"database_url": url, "data": tmp_path, "secret_key": SECRET})
    folder = tmp_path / "migrations"
    shutil.copytree(Path(module.__file__).with_name("migrations"), folder)
    for path in (folder / "record").iterdir():
        if path.stem not in _FIRST:
            path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(module, "_FOLDER", folder)
        migrate(settings)
    return settings


async def test_what_is_accepted_while_it_migrates_is_there(first: Settings) -> None:
    wanted = pending(first.record_url, "record")
    assert wanted
    assert set(wanted).isdisjoint(f"record/{name}" for name in _FIRST)
    async with _intake(first) as intake, _reader(first) as reader:
        stop, accepted = asyncio.Event(), list[str]()
        sending = [asyncio.create_task(_send(intake, lane, stop, accepted)) for lane in range(8)]
        migrating = asyncio.create_task(asyncio.to_thread(migrate, first))
        await asyncio.sleep(1.0)
        assert not migrating.done(), "it does not wait for the reader"
        await reader.rollback()
        assert await migrating == wanted
        stop.set()
        await asyncio.gather(*sending)
    async with pool(first.record_url, size=1) as record, pool(first.keys_url, size=1) as keys:
        findings = {one.check: one for one in await check(record, keys, Vault(first.secrets()), every=True)}
    assert [one for one in findings.values() if not one.ok] == []
    assert findings["facts"].detail == str(len(accepted))
    assert len(accepted) > len(sending)


async def test_a_reader_that_stays_is_named_and_nothing_is_done(
    first: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.0)
    wanted = pending(first.record_url, "record")
    async with _reader(first):
        with pytest.raises(Refused, match="pg_stat_activity"):
            await asyncio.to_thread(migrate, first)
    left = pending(first.record_url, "record")
    assert left
    assert wanted[-len(left) :] == left


async def test_partitions_are_made_beside_a_reader(settings: Settings) -> None:
    """As pg_dump is one, for as long as it runs."""
    with psycopg.connect(settings.record_url, autocommit=True, options="-c lock_timeout=3s") as connection:
        connection.execute("SELECT setval('record.position', %s)", (5 * FACTS_PER_PARTITION,))
        async with _reader(settings):
            ensure_partitions(connection)
            ensure_partitions(connection)
            made = {name for (name,) in connection.execute(_PARTITIONS)}
            assert {"record.facts_5", "record.facts_6", "record.facts_7"} <= made
            assert connection.execute(_KEYS).fetchone() == (1,)
            async with _intake(settings) as intake:
                await intake.submit(_submission("SM1"))
            assert connection.execute("SELECT count(*) FROM record.facts_5").fetchone() == (1,)


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncGenerator[psycopg.AsyncConnection]:
    """A transaction that has read the record's tables, and goes on."""
    async with await psycopg.AsyncConnection.connect(settings.record_url) as connection:
        await connection.execute(_HOLD)
        yield connection


@asynccontextmanager
async def _intake(settings: Settings) -> AsyncGenerator[Intake]:
    async with pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        intake = Intake(settings.record_url, ring, BlobStore(settings.blob_url))
        intake.start()
        yield intake
        await intake.stop()


async def _send(intake: Intake, lane: int, stop: asyncio.Event, accepted: list[str]) -> None:
    """As a provider does: again, until it is accepted."""
    number = 0
    while not stop.is_set():
        key = f"SM{lane}-{number}"
        try:
            await intake.submit(_submission(key))
        except Away:
            await asyncio.sleep(0.1)
            continue
        accepted.append(key)
        number += 1
        await asyncio.sleep(0.02)


def _submission(key: str) -> Submission:
    address = f"tel:+989120000{key[2]}"
    fact = InteractionReceived(
        interaction_id=ORIGIN.derive(key, "interaction"),
        kind="message",
        channel="sms/twilio",
        personal=Content(address=address, text="salaam"),
    )
    request = InboundRequest("POST", "https://x/", (), key.encode(), datetime.now(UTC), ORIGIN)
    return Submission(request, uuid4(), [Heard(key, address, fact)])
