"""PostgreSQL's own `pg_dump` and `pg_restore`: found, new enough for the server, and run without showing a password."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.embedded.errors import EmbeddedError
from services.embedded.postgres import find_binaries
from services.settings import Misconfigured

_VERSION: Final = re.compile(rb"\(PostgreSQL\) ([0-9]+)")


class ProgramFailed(Exception):
    """A program of PostgreSQL's ended with an error; the sentence is its own."""


def program(name: str, at_least: int) -> tuple[Path, int]:
    """The path of the program and its major version, which is no older than asked for.

    Raises:
        Misconfigured: there is none.
    """
    seen: list[str] = []
    for path in _candidates(name):
        major = _major(path)
        if major >= at_least:
            return path, major
        seen.append(f"{path} is of version {major}")
    found = "; ".join(seen) or "none is here"
    raise Misconfigured(
        f"This needs {name} of PostgreSQL {at_least} or later ({found}): install PostgreSQL's client programs "
        "so that it is on PATH"
    )


def run(path: Path, url: str, options: Sequence[str]) -> None:
    """Run it on this database.

    Raises:
        ProgramFailed: with the last line that it said.
    """
    server = conninfo_to_dict(url)
    password = server.pop("password", None)
    # Other users of the machine see a command line, but no environment.
    given = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    done = subprocess.run(  # noqa: S603 - our own command line
        [path, "--no-password", f"--dbname={make_conninfo('', **server)}", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=given | {"LC_ALL": "C.UTF-8"},
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        first = next((line for line in said if "error:" in line), said[-1])
        raise ProgramFailed(first if first.startswith(path.name) else f"{path.name}: {first}")


def _candidates(name: str) -> Iterator[Path]:
    try:
        beside = find_binaries() / name
    except EmbeddedError:
        pass
    else:
        if beside.exists():
            yield beside
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)


def _major(path: Path) -> int:
    done = subprocess.run([path, "--version"], capture_output=True, check=False)  # noqa: S603 - found above
    found = _VERSION.search(done.stdout)
    return int(found[1]) if found else 0
