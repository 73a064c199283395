"""What a backup refuses, and what a restore does."""

import asyncio
import secrets
import subprocess
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from services.backup import moment as moments
from services.backup import programs
from services.backup.manifest import BLOBS, FILES, KEYS, MANIFEST, RECORD, BrokenBackup, measured, read
from services.backup.moment import moment
from services.backup.put import restore
from services.backup.take import DRAFT, backup
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.migrate import migrate
from services.ops.exits import MALFORMED, NO
from services.record.errors import Refused
from services.settings import Misconfigured, Settings
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.ops.cli import Tamas

_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def _quiet(_: str) -> None:
    return


@pytest.fixture
def kept(settings: Settings, tmp_path: Path) -> Path:
    """A backup of an installation with a tenant, a key and a blob."""
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("acme", "Acme"))
    asyncio.run(_with_key(settings))
    blob = settings.data / "blobs" / "acme" / ("a" * 32) / ("b" * 32)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"sealed")
    (settings.data / "blobs" / "secret.key").write_text("not a blob")
    (blob.parent / f"{'c' * 32}.77").write_bytes(b"a draft")
    backup(settings, tmp_path / "kept", taken_at=_AT, tell=_quiet)
    return tmp_path / "kept"


@pytest.fixture
def empty(settings: Settings, postgres_url: str, tmp_path: Path) -> Settings:
    """Another installation: its database is new."""
    name = f"e_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
    data = tmp_path / "other"
    named = dict.fromkeys(("database_url", "record_url", "views_url", "keys_url"), url)
    return settings.model_copy(update=named | {"data": data, "blob_url": (data / "blobs").as_uri()})


async def _with_key(settings: Settings) -> None:
    async with pool(settings.keys_url, size=1) as keys:
        await Ring(keys, Vault(settings.secrets())).subjects([("acme", "tel:+989120000001")])


def _schemas(settings: Settings) -> set[str]:
    with psycopg.connect(settings.record_url) as connection:
        return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace")}


def _run(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_files_are_apart_and_only_the_owner_reads_them(kept: Path) -> None:
    assert {path.name for path in kept.iterdir()} == {*FILES, MANIFEST}
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}
    with tarfile.open(kept / BLOBS) as archive:
        assert archive.getnames() == [f"acme/{'a' * 32}/{'b' * 32}"]
    path, _ = programs.program("pg_restore", 1)
    listed = {name: _listed(path, kept / name) for name in (RECORD, KEYS)}
    assert "TABLE record facts" in listed[RECORD]
    assert "TABLE DATA record identity" not in listed[RECORD]
    assert " keys " not in listed[RECORD]
    assert "TABLE keys subjects" in listed[KEYS]
    assert " record " not in listed[KEYS]


def _listed(path: Path, dump: Path) -> str:
    return subprocess.run([path, "--list", dump], capture_output=True, check=True, text=True).stdout


def test_what_is_put_back_is_migrated_and_waits_to_be_adopted(kept: Path, empty: Settings) -> None:
    migrate(empty)
    made, without_login = restore(empty, kept, tell=_quiet)
    assert (made.taken_at, made.position, made.blobs, without_login) == (_AT, 1, 1, [])
    assert {role.name for role in made.roles} >= {"tamas_ingress", "tamas_parser", "tamas_relay", "tamas_api"}
    tamas = Tamas(empty)
    assert tamas("migrate", "--check").code == 0
    assert tamas("record", "check").code == NO
    assert tamas("record", "adopt").code == 0
    assert tamas("record", "check").code == 0
    assert [row["slug"] for row in tamas("tenant", "list", "--json").rows()] == ["acme"]


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_not_restored(kept: Path, empty: Settings, name: str) -> None:
    data = bytearray((kept / name).read_bytes())
    data[len(data) // 2] ^= 1
    (kept / name).write_bytes(data)
    told = Tamas(empty)("restore", str(kept))
    assert (told.code, name in told.err, "SHA-256" in told.err) == (MALFORMED, True, True)
    assert _schemas(empty).isdisjoint({"record", "keys"})


def test_a_backup_that_was_cut_short_is_none(kept: Path, empty: Settings) -> None:
    (kept / MANIFEST).unlink()
    with pytest.raises(BrokenBackup, match="no whole backup"):
        restore(empty, kept, tell=_quiet)


def test_with_another_secret_nothing_stays(kept: Path, empty: Settings) -> None:
    other = empty.model_copy(update={"secret_key": Settings.model_validate({"secret_key": "x" * 40}).secret_key})
    with pytest.raises(Misconfigured, match="does not open the keys"):
        restore(other, kept, tell=_quiet)
    assert _schemas(empty).isdisjoint({"record", "service", "keys"})
    restore(empty, kept, tell=_quiet)


@pytest.mark.parametrize("stranger", ["../outside", f"../{'c' * 32}/{'d' * 32}"])
def test_an_archive_with_strangers_is_undone(kept: Path, empty: Settings, stranger: str) -> None:
    with tarfile.open(kept / BLOBS, "w") as archive:
        archive.add(kept / KEYS, f"acme/{'a' * 32}/{'b' * 32}")
        archive.add(kept / KEYS, stranger)
    _resealed(kept, BLOBS)
    with pytest.raises(BrokenBackup, match="no blob"):
        restore(empty, kept, tell=_quiet)
    assert _schemas(empty).isdisjoint({"record", "service", "keys"})
    assert list((empty.data / "blobs").iterdir()) == []


def _resealed(kept: Path, name: str, **update: Any) -> None:
    made = read(kept)
    files = made.files | {name: measured(kept / name)}
    (kept / MANIFEST).write_text(made.model_copy(update={"files": files, **update}).model_dump_json())


def test_what_is_in_use_stays(kept: Path, settings: Settings, empty: Settings) -> None:
    refused = Tamas(settings)("restore", str(kept))
    assert (refused.code, "RECORD_URL has rows" in refused.err) == (NO, True)
    (empty.data / "blobs").mkdir(parents=True)
    (empty.data / "blobs" / "something").touch()
    with pytest.raises(Refused, match="TAMAS_BLOB_URL"):
        restore(empty, kept, tell=_quiet)


def test_a_later_version_is_refused(kept: Path, empty: Settings) -> None:
    _resealed(kept, BLOBS, migrations={"record": ("record/9999_later",), "keys": ()}, version="9.0")
    with pytest.raises(Refused, match=r"Tamas 9\.0"):
        restore(empty, kept, tell=_quiet)


def test_a_role_of_the_operator_comes_back_without_its_login(
    settings: Settings, empty: Settings, tmp_path: Path
) -> None:
    role = f"reports_{secrets.token_hex(4)}"
    _run(settings, f"CREATE ROLE {role} LOGIN PASSWORD 'of no use'")
    _run(settings, f"GRANT USAGE ON SCHEMA record TO {role}")
    _run(settings, f"GRANT SELECT (position, type) ON record.facts TO {role}")
    backup(settings, tmp_path / "kept", taken_at=_AT, tell=_quiet)
    _run(settings, f"DROP OWNED BY {role}")
    _run(settings, f"DROP ROLE {role}")
    assert restore(empty, tmp_path / "kept", tell=_quiet)[1] == [role]
    assert _run(empty, f"SELECT has_column_privilege('{role}', 'record.facts', 'type', 'SELECT')") == [(True,)]
    _run(empty, f"DROP OWNED BY {role}")
    _run(empty, f"DROP ROLE {role}")


@pytest.mark.parametrize("name", [MANIFEST, DRAFT])
def test_a_folder_with_something_in_it_is_left_alone(settings: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / "kept" / name).mkdir(parents=True)
    told = Tamas(settings)("backup", str(tmp_path / "kept"))
    assert (told.code, str(tmp_path / "kept") in told.err) == (NO, True)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [name]


def test_without_a_program_that_is_new_enough(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.2'\n")
    old.chmod(0o755)

    def only_old(_name: str) -> list[Path]:
        return [old]

    monkeypatch.setattr(programs, "_candidates", only_old)
    with pytest.raises(Misconfigured, match=r"needs pg_dump of PostgreSQL \d+ or later .*of version 15"):
        backup(settings, tmp_path / "kept", taken_at=_AT, tell=_quiet)
    assert list((tmp_path / "kept").iterdir()) == []


def test_it_waits_for_an_erasure_that_is_under_way(settings: Settings) -> None:
    asyncio.run(_with_key(settings))
    _run(settings, "UPDATE keys.subjects SET erased_at = clock_timestamp()")
    with moment(settings, 0.0) as now:
        assert now.erasures_under_way == 1
    ending = threading.Timer(0.5, _run, (settings, "UPDATE keys.subjects SET lookup = NULL, wrapped = NULL"))
    ending.start()
    with moment(settings) as now:
        assert now.erasures_under_way == 0
    ending.join()


def test_a_key_that_is_made_between_the_two_looks_is_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is looked at first: a fact that shows in it has its key in what is looked at after."""
    looks: list[str] = []
    look = moments._row

    def looked(connection: psycopg.Connection, query: str) -> tuple[Any, ...]:
        found = look(connection, query)
        looks.append(query)
        if looks.count(moments._EXPORT) == 1 and query == moments._EXPORT:
            asyncio.run(_with_key(settings))
        return found

    monkeypatch.setattr(moments, "_row", looked)
    with moment(settings) as now:
        assert now.keys.execute("SELECT count(*) FROM keys.subjects").fetchone() == (1,)
        assert now.record.execute("SELECT count(*) FROM keys.subjects").fetchone() == (0,)
