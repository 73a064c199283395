"""deploy/README.md: its commands, run as they stand where no container is needed."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import psycopg
import pytest
import yaml

from services.embedded import postgres
from services.embedded.postgres import RunningPostgres, find_binaries
from services.migrate import migrate
from services.record.identity import EPOCH_POSITIONS
from services.roles import named
from services.settings import Settings
from tests.house.readme import _BLOCK
from tests.house.tree import ROOT
from tests.servers import SECRET, _reachable
from tests.services.relay.wire import Writer, until, writer

DEPLOY: Final = ROOT / "deploy"
BLOCKS: Final[dict[str, str]] = {
    info.strip(): code
    for info, code, _ in _BLOCK.findall((DEPLOY / "README.md").read_text("utf-8"))
    if info != "sh docker"
}
KINDS: Final = {"sh", "sh run", "sh standby", "sh synchronous", "sh failover", "sh helm"}
PROGRAMS: Final = Path(sys.executable).parent


def run(block: str, environment: Mapping[str, str]) -> str:
    given = {"PATH": f"{PROGRAMS}:{find_binaries()}:{os.environ['PATH']}", "TAMAS_SECRET_KEY": SECRET, **environment}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", BLOCKS[block]], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_block_is_looked_at() -> None:
    assert set(BLOCKS) == KINDS


def test_what_is_done_once_per_version(wired_to_three: Settings, tmp_path: Path) -> None:
    settings = wired_to_three
    environment = {
        "DATABASE_URL": settings.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TAMAS_TOPIC_REPLICATION": "3",
        "TAMAS_TOPIC_PREFIX": settings.topic_prefix,
        "TAMAS_DATA": str(tmp_path),
    }
    said = run("sh", environment)
    assert "8 topics made." in said
    assert not re.search(r"\b(set|reassign)\b", said), "a topic that was just made is not as it should be"


def test_the_roles_that_are_run_are_all() -> None:
    groups = re.findall(r"^tamas run (\w+)", BLOCKS["sh run"], re.MULTILINE)
    assert groups == ["edge", "parser", "imap", "core", "views"]
    named(groups)


def test_the_chart_has_what_is_set() -> None:
    values: Any = yaml.safe_load((DEPLOY / "helm" / "tamas" / "values.yaml").read_text("utf-8"))
    found = re.findall(r"--set ([\w.]+)=", BLOCKS["sh helm"])
    assert len(found) == 4
    for name in found:
        held = values
        for part in name.split("."):
            held = held[part]


@pytest.mark.timeout(240)
async def test_what_was_accepted_survives_the_loss_of_the_primary(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    async with _cluster(_reachable(tmp_path_factory, "standby"), tmp_path) as (settings, primary, folder):
        source = await writer(settings)
        await source.write(100)
        standby = postgres.start(folder)
        environment = {"PRIMARY": primary.url, "STANDBY": standby.url}
        assert "quorum" in await asyncio.to_thread(run, "sh synchronous", environment)
        standby = await _nothing_is_accepted_without_it(source, primary, standby, folder)
        writing = asyncio.create_task(source.write(100_000, group=5))
        await until(lambda: len(source.written) > 600)
        os.kill(primary.child.pid, signal.SIGKILL)
        with pytest.raises((psycopg.OperationalError, psycopg.InterfaceError)):
            await writing
        run("sh failover", {**environment, "STANDBY": standby.url, "TAMAS_DATA": str(tmp_path)})
        moved = settings.model_copy(update=dict.fromkeys(("record_url", "views_url", "keys_url"), standby.url))
        assert source.written <= _facts(standby.url)
        after = Writer(moved, source.subjects, set())
        await after.write(1)
        with psycopg.connect(standby.url) as held:
            row = held.execute("SELECT max(position) FROM record.facts").fetchone()
        assert row is not None
        assert row[0] // EPOCH_POSITIONS == 1
        standby.stop()


@asynccontextmanager
async def _cluster(place: Path, data: Path) -> AsyncGenerator[tuple[Settings, RunningPostgres, Path]]:
    """A migrated primary, and the folder of a standby that was not started yet."""
    (place / "standby").mkdir()
    primary = postgres.start(place / "primary")
    try:
        settings = Settings.model_validate({"database_url": primary.url, "data": data, "secret_key": SECRET})
        migrate(settings)
        environment = {
            "PRIMARY": primary.url,
            "PRIMARY_HOST": "127.0.0.1",
            "PRIMARY_PORT": str(primary.port),
            "STANDBY_PASSWORD": "another-secret",
            "STANDBY_FOLDER": str(place / "standby" / "cluster"),
        }
        await asyncio.to_thread(run, "sh standby", environment)
        shutil.copy(place / "primary" / "password", place / "standby" / "password")
        yield settings, primary, place / "standby"
    finally:
        primary.stop()


async def _nothing_is_accepted_without_it(
    source: Writer, primary: RunningPostgres, standby: RunningPostgres, folder: Path
) -> RunningPostgres:
    standby.stop()
    before = len(source.written)
    writing = asyncio.create_task(source.write(50))
    await until(lambda: _waiting(primary.url) > 0)
    assert len(source.written) == before
    again = postgres.start(folder, port=standby.port)
    await writing
    assert len(source.written) == before + 50
    return again


def _waiting(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as held:
        row = held.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone()
    return 0 if row is None else int(row[0])


def _facts(url: str) -> set[UUID]:
    with psycopg.connect(url) as held:
        return {cast("UUID", row[0]) for row in held.execute("SELECT event_id FROM record.facts")}
