"""`tamas backup`."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.backup.manifest import Manifest
from services.backup.take import backup
from services.ops.options import Json, with_database
from services.ops.output import emit_one, say
from services.record.errors import Refused

_KEPT_APART: Final = (
    "TAMAS_SECRET_KEY is not in the backup, and nothing in it opens without: keep a copy of it somewhere else, on "
    "paper or in a vault of secrets, and keys.dump apart from record.dump and blobs.tar."
)


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    *,
    as_json: Json = False,
) -> None:
    """Write record, keys and blobs to a folder, each apart, while everything runs."""
    found = with_database()
    try:
        made = backup(found, folder, taken_at=datetime.now(UTC), tell=progress)
    except OSError as error:
        raise Refused(f"The backup could not be written: {error}") from error
    emit_one(row(folder, made), as_json=as_json)
    if made.erasures_under_way:
        say(
            f"{made.erasures_under_way} erasures were under way and are not whole in this backup: run tamas erase for "
            "their addresses again, then take another backup."
        )
    if made.spooled:
        say(f"{made.spooled} requests wait in {found.spool} for PostgreSQL: they are not in this backup.")
    say(_KEPT_APART)


def progress(step: str) -> None:
    """Tell it on a terminal."""
    if sys.stderr.isatty():
        say(step)


def row(folder: Path, made: Manifest) -> dict[str, object]:
    """What was written or put back, for `--json` and for people."""
    return {
        "folder": str(folder),
        "taken_at": made.taken_at,
        "version": made.version,
        "position": made.position,
        "blobs": made.blobs,
        "bytes": {name: file.bytes for name, file in made.files.items()},
        "erasures_under_way": made.erasures_under_way,
        "spooled": made.spooled,
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"backup": run}
