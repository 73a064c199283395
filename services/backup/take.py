"""Writes a backup beside everything that runs: record, keys and blobs apart, then the manifest.

`TAMAS_SECRET_KEY` is never in it. Blobs come last: whatever a fact of the record's snapshot names was there before it.
"""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from psycopg import Connection

from services.backup import blob_archive, programs, roles
from services.backup.manifest import BLOBS, FILES, KEYS, MANIFEST, RECORD, SCHEMAS, Manifest, Written, measured
from services.backup.moment import Moment, moment
from services.record.errors import Refused
from services.record.identity import PLACE
from services.settings import Misconfigured, Settings
from services.spool import shelf

DRAFT: Final = ".unfinished"
_HEAD: Final = "SELECT record.head()"
_DONE: Final = "SELECT name FROM migration.done WHERE name LIKE %s ORDER BY name"
# The noted server stays out, so that a record that was put back, also by hand, never takes itself for one that stayed.
_OF_RECORD: Final = ("--exclude-table-data=record.identity",)

Tell = Callable[[str], None]


def backup(settings: Settings, to: Path, *, taken_at: datetime, tell: Tell) -> Manifest:
    """Write it into a folder that is empty or not there; it has no manifest until it is whole.

    Raises:
        Refused: the folder holds something.
        Misconfigured: no `pg_dump` that is new enough for the server, or blobs that are not files.
        ProgramFailed: `pg_dump` says why.
        psycopg.OperationalError: PostgreSQL is away.
    """
    root = blob_root(settings)
    draft = _begun(to)
    try:
        with moment(settings) as now:
            at_least = max(now.record.info.server_version, now.keys.info.server_version) // 10_000
            path, major = programs.program("pg_dump", at_least)
            known = _known(settings, now) | {"taken_at": taken_at, "pg_dump": major}
            tell("Keys …")
            _dump(path, settings.keys_url, now.keys_snapshot, draft / KEYS, ())
            tell("Record …")
            _dump(path, settings.record_url, now.record_snapshot, draft / RECORD, _OF_RECORD)
        tell("Blobs …")
        blobs = blob_archive.write(root, draft / BLOBS)
        tell("Checksums …")
        files = {name: _durable(draft / name) for name in FILES}
        made = Manifest.model_validate(known | {"blobs": blobs, "files": files})
        (draft / MANIFEST).write_text(made.model_dump_json(indent=2) + "\n", "utf-8")
        _durable(draft / MANIFEST)
        _finish(draft, to)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return made


def blob_root(settings: Settings) -> Path:
    """The folder of TAMAS_BLOB_URL.

    Raises:
        Misconfigured: another scheme.
    """
    parts = urlsplit(settings.blob_url)
    if parts.scheme != "file":
        raise Misconfigured(f"TAMAS_BLOB_URL must start with file://, not {parts.scheme}://")
    return Path(unquote(parts.path))


def _begun(to: Path) -> Path:
    if (to / DRAFT).exists():
        raise Refused(f"A backup into {to} is running, or was cut short: if it is not running, remove {to / DRAFT}.")
    if to.exists() and (not to.is_dir() or next(to.iterdir(), None) is not None):
        raise Refused(f"{to} is not an empty folder: name one that is empty or not there yet.")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = to / DRAFT
    draft.mkdir(mode=0o700)
    return draft


def _known(settings: Settings, now: Moment) -> dict[str, Any]:
    (position,) = _row(now.record, _HEAD)
    system_identifier, timeline, *_ = _row(now.record, PLACE)
    found = [*roles.roles_of(now.record, SCHEMAS[RECORD]), *roles.roles_of(now.keys, SCHEMAS[KEYS])]
    return {
        "version": version("tamas"),
        "position": position,
        "postgres": now.record.info.server_version // 10_000,
        "system_identifier": system_identifier,
        "timeline": timeline,
        "topic_prefix": settings.topic_prefix,
        "migrations": {"record": _done(now.record, "record"), "keys": _done(now.keys, "keys")},
        "roles": list({role.name: role for role in found}.values()),
        "erasures_under_way": now.erasures_under_way,
        "spooled": shelf.waiting(settings.spool),
    }


def _done(connection: Connection, part: str) -> list[str]:
    return [name for (name,) in connection.execute(_DONE, (f"{part}/%",))]


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - queries that always give one
    return row


def _dump(path: Path, url: str, snapshot: str, to: Path, options: tuple[str, ...]) -> None:
    schemas = [f"--schema={schema}" for schema in SCHEMAS[to.name]]
    # What is sealed does not shrink; but it is written as hexadecimal digits, which do.
    fixed = ["--format=custom", "--compress=1", f"--snapshot={snapshot}", f"--file={to}"]
    programs.run(path, url, [*fixed, *schemas, *options])


def _durable(path: Path) -> Written:
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return measured(path)


def _finish(draft: Path, to: Path) -> None:
    # Not a rename of the whole folder: it may be where a volume is mounted.
    for name in FILES:
        (draft / name).rename(to / name)
    shelf.fsync_folder(to)
    (draft / MANIFEST).rename(to / MANIFEST)
    draft.rmdir()
    shelf.fsync_folder(to)
