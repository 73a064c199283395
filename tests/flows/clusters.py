"""PostgreSQL clusters beside an installation, and what moves databases between them: the tools of operators."""

import secrets
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from services.embedded import postgres
from services.embedded.postgres import find_binaries
from tests.servers import SECRET


@contextmanager
def cluster(folder: Path) -> Generator[str]:
    """The URL of a new, empty server."""
    running = postgres.start(folder)
    try:
        yield running.url
    finally:
        running.stop()


def new_database(url: str) -> str:
    """The URL of an empty database beside this one."""
    name = f"restore_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.rsplit("/", 1)[0] + f"/{name}"


def on_servers(kafka: str, **urls: str) -> dict[str, str]:
    """The environment of an installation on these, with topics of its own."""
    return urls | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "TAMAS_TOPIC_PREFIX": f"t_{secrets.token_hex(4)}.",
        "TAMAS_TOPIC_PARTITIONS": "3",
        "TAMAS_SECRET_KEY": SECRET,
    }


def dump(url: str, to: Path) -> None:
    """Roles and one database, as text."""
    roles = _run("pg_dumpall", "--roles-only", "--no-role-passwords", f"--dbname={url}")
    (to / "roles.sql").write_bytes(roles)
    (to / "database.sql").write_bytes(_run("pg_dump", f"--dbname={url}"))


def restore(url: str, of: Path) -> None:
    """Into an empty database; that the superuser is there already is no error."""
    _run("psql", "--quiet", f"--dbname={url}", f"--file={of / 'roles.sql'}")
    _run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={url}", f"--file={of / 'database.sql'}")


def _run(tool: str, *words: str) -> bytes:
    done = subprocess.run([find_binaries() / tool, *words], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
