"""Puts a backup into an empty installation. Nothing runs on it until somebody has adopted the record.

The record comes last: while there is none, nothing can be adopted that lacks its keys.
"""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection, sql

from services.backup import blob_archive, programs, roles
from services.backup.manifest import BLOBS, KEYS, RECORD, SCHEMAS, BrokenBackup, Manifest, read, verify
from services.backup.take import Tell, blob_root
from services.keys.vault import Unsealable, Vault
from services.migrate import known, migrate
from services.record.errors import Refused
from services.settings import Misconfigured, Settings

_PARTS: Final = {RECORD: "record", KEYS: "keys"}
# Whatever an installation cannot do without; a migrated database that nobody has used has none of it.
_HELD: Final = {
    RECORD: ("record.facts", "record.decisions", "record.raw", "service.tokens"),
    KEYS: ("keys.subjects", "keys.days", "keys.secrets", "keys.doors"),
}
_LOOKUP: Final = "SELECT wrapped, tenant FROM keys.lookups LIMIT 1"
_HEAD: Final = "SELECT record.head()"
_SEEN: Final = """
    CREATE SCHEMA IF NOT EXISTS migration;
    CREATE TABLE IF NOT EXISTS migration.done (name text PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())"""


def restore(settings: Settings, of: Path, *, tell: Tell) -> tuple[Manifest, list[str]]:
    """Check it, then put back roles, keys, blobs and the record, then migrate. On an error nothing of it stays.

    Returns the manifest, and the roles that were made without the login that they had.

    Raises:
        BrokenBackup: a file is not as it was written.
        Refused: the installation is not empty, or the backup is of a later version.
        Misconfigured: TAMAS_LOOKUP_KEY is another one, or there is no `pg_restore` that is new enough.
        ProgramFailed: `pg_restore` says why.
        psycopg.OperationalError: PostgreSQL is away.
    """
    manifest = read(of)
    _refuse_later(manifest)
    vault, root = Vault(settings.secrets()), blob_root(settings)
    urls = {RECORD: settings.record_url, KEYS: settings.keys_url}
    for name, url in urls.items():
        _refuse_used(name, url)
    if not blob_archive.is_empty(root):
        raise Refused(f"{root} (TAMAS_BLOB_URL) is not empty: a backup is put into an empty installation.")
    tell("Checksums …")
    verify(of, manifest)
    with ExitStack() as undo:
        with _connect(settings.record_url) as connection:
            path, _ = programs.program("pg_restore", max(manifest.pg_dump, connection.info.server_version // 10_000))
            without_login = roles.make(connection, manifest.roles)
        tell("Keys …")
        _put(path, of / KEYS, settings.keys_url, manifest, undo)
        _refuse_other_secret(settings, vault)
        tell("Blobs …")
        undo.callback(blob_archive.remove, root)
        blob_archive.read(of / BLOBS, root)
        tell("Record …")
        _put(path, of / RECORD, settings.record_url, manifest, undo)
        _refuse_other_head(settings, manifest)
        undo.pop_all()
    migrate(settings)
    return manifest, without_login


def _refuse_later(manifest: Manifest) -> None:
    for part in _PARTS.values():
        later = set(manifest.migrations.get(part, ())) - set(known(part))
        if later:
            raise Refused(
                f"This backup was taken with Tamas {manifest.version}, which is later than this one: it has "
                f"{', '.join(sorted(later))}. Restore it with that version."
            )


def _refuse_used(name: str, url: str) -> None:
    variable = f"{_PARTS[name].upper()}_URL"
    with _connect(url) as connection:
        for table in _HELD[name]:
            if _holds(connection, table):
                raise Refused(
                    f"{variable} has rows in {table}: a backup is put into an empty database. If a restore was cut "
                    f"short here, make the database anew and empty the folder of TAMAS_BLOB_URL first."
                )


def _holds(connection: Connection, table: str) -> bool:
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    if there is None or not there[0]:
        return False
    query = sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(*table.split(".")))
    return connection.execute(query).fetchone() is not None


def _put(path: Path, dump: Path, url: str, manifest: Manifest, undo: ExitStack) -> None:
    with _connect(url) as connection:
        _drop(connection, dump.name)
    undo.callback(_dropped, url, dump.name)
    programs.run(path, url, ["--single-transaction", "--exit-on-error", "--no-owner", str(dump)])
    with _connect(url) as connection, connection.transaction():
        connection.execute(_SEEN.encode())
        for migration in manifest.migrations[_PARTS[dump.name]]:
            connection.execute("INSERT INTO migration.done (name) VALUES (%s)", (migration,))


def _dropped(url: str, name: str) -> None:
    with _connect(url) as connection:
        _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    with connection.transaction():
        schemas: Sequence[str] = SCHEMAS[name]
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, schemas)))
        )
        connection.execute(_SEEN.encode())
        connection.execute("DELETE FROM migration.done WHERE name LIKE %s", (f"{_PARTS[name]}/%",))


def _refuse_other_secret(settings: Settings, vault: Vault) -> None:
    with _connect(settings.keys_url) as connection:
        row = connection.execute(_LOOKUP).fetchone()
    if row is None:
        return
    try:
        vault.unwrap(row[0], row[1].encode())
    except Unsealable as error:
        raise Misconfigured(
            "TAMAS_LOOKUP_KEY does not open the keys of this backup: set the one that was in force when it was taken. "
            "Nothing was restored."
        ) from error


def _refuse_other_head(settings: Settings, manifest: Manifest) -> None:
    with _connect(settings.record_url) as connection:
        row = connection.execute(_HEAD).fetchone()
    if row is None or row[0] != manifest.position:
        raise BrokenBackup(
            f"The record does not go up to {manifest.position} as the manifest says; nothing was restored"
        )


@contextmanager
def _connect(url: str) -> Generator[Connection]:
    with psycopg.connect(url, autocommit=True, connect_timeout=5, options="-c lock_timeout=5s") as connection:
        yield connection
