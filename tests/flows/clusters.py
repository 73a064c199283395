"""PostgreSQL clusters beside an installation, and what moves databases between them: the tools of operators."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from services.embedded import postgres
from services.embedded.postgres import find_binaries


@contextmanager
def cluster(folder: Path) -> Generator[str]:
    """The URL of a new, empty server."""
    running = postgres.start(folder)
    try:
        yield running.url
    finally:
        running.stop()


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
