"""What compose.yaml describes is started, gets real traffic through its doors, and is stopped."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httpx
import psycopg
import pytest
from psycopg import sql

from services.settings import Settings
from tests.deploy.stand import Stand
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import ALL_DOORS, Traffic, open_doors, written_by
from tests.flows.whole import check_whole

STAYING = ("edge", "parser", "imap", "core", "views")


@pytest.fixture
def stand(settings: Settings, tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path, settings)
    try:
        yield made
    finally:
        made.end()


@pytest.mark.timeout(300)
def test_all_of_it_runs_as_the_file_says(stand: Stand) -> None:
    stand.start_brokers()
    assert stand.run("migrate").returncode == 0
    topics = stand.run("topics")
    assert (topics.returncode, len(topics.stdout.splitlines())) == (0, 8), topics.stderr
    for name in STAYING:
        stand.start(name)
    for name in ("edge", "views"):
        eventually(lambda name=name: stand.is_healthy(name), f"{name} is healthy")
    traffic = Traffic(open_doors(stand.settings, stand.http, stand.smtp), written_by(1, 90, ALL_DOORS), 1)
    with traffic.flowing():
        pass
    # It looks at nothing but its settings.
    check_whole(cast("Installation", stand), traffic.accepted)
    assert httpx.get(f"{stand.http}/openapi.json", trust_env=False).status_code == 200, "views is not behind edge"
    assert stand.stop() == dict.fromkeys(STAYING, 0)


def test_a_process_without_its_database_is_not_healthy(stand: Stand) -> None:
    assert not stand.is_healthy("edge")


def test_postgresql_takes_the_settings(stand: Stand, postgres_url: str) -> None:
    given = [word for word in stand.services["postgres"]["command"].split() if "=" in word]
    assert len(given) >= 8
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name, value in (word.split("=") for word in given):
            setting = sql.Identifier(name)
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(setting, sql.Literal(value)))
            connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(setting))
