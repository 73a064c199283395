"""Real servers for tests: one embedded PostgreSQL and one Kafka per run, a fresh database and topic prefix per need."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql

from services.embedded import kafka, postgres
from services.migrate import migrate
from services.settings import Settings

SECRET: Final = "a test installation's own sealing secret long enough"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's URL of a real PostgreSQL."""
    running = postgres.start(_reachable(tmp_path_factory, "postgres"))
    with psycopg.connect(running.url, autocommit=True) as connection:
        # No database is dropped while somebody who was cancelled says nothing yet: a minute of each such test.
        connection.execute("ALTER SYSTEM SET authentication_timeout = '5s'")
        connection.execute("SELECT pg_reload_conf()")
    yield running.url
    running.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real broker's `host:port`."""
    running = kafka.start(_reachable(tmp_path_factory, "kafka"))
    yield running.bootstrap
    running.stop()


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation with a database of its own, migrated; no broker."""
    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
    made = Settings.model_validate(
        {"database_url": url, "data": tmp_path, "secret_key": SECRET, "topic_prefix": f"{name}.", "topic_partitions": 3}
    )
    migrate(made)
    yield made
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def wired(settings: Settings, kafka_bootstrap: str) -> Settings:
    """The same with a broker and a topic prefix of its own."""
    return settings.model_copy(update={"kafka_bootstrap_servers": kafka_bootstrap})


def _reachable(factory: pytest.TempPathFactory, name: str) -> Path:
    path = factory.mktemp(name)
    for folder in (path, *path.parents[:3]):
        if folder.owner() == path.owner():
            folder.chmod(0o755)
    return path
