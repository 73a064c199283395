"""The drill: a backup under traffic, the servers lost, restored, adopted; whatever came before the backup is there."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from services.blobs import BlobStore
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.exits import CONFIGURATION, NO
from services.record.identity import EPOCH_POSITIONS
from services.record.reader import Row
from services.settings import Settings
from tests.flows.clusters import cluster, new_database, on_servers
from tests.flows.doors.opened import ALL_DOORS, TENANT, Message
from tests.flows.installation import Installation, eventually, running
from tests.flows.traffic import Traffic, traffic_again, traffic_to, written_by
from tests.flows.whole import RECEIVED, check_read_models, findings, on_record, record
from tests.servers import SECRET

BEFORE, MEANWHILE, AFTER = 200, 240, 100


def test_all_is_lost_but_the_backup(postgres_url: str, kafka_bootstrap: str, folder: Path) -> None:
    """Servers, topics, blobs and the data folder go; keys had a database of their own."""
    old = on_servers(kafka_bootstrap, DATABASE_URL=new_database(postgres_url), KEYS_URL=new_database(postgres_url))
    kept = folder / "kept"
    with running(folder / "data", old) as up:
        before = _sent(up, 61, BEFORE)
        gone = _erase_one(up, before)
        meanwhile = traffic_again(up, before, written_by(62, MEANWHILE, ALL_DOORS))
        accepted, made = _backup_under(up, meanwhile, kept)
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in kept.iterdir())
    shutil.rmtree(folder / "data")
    with cluster(folder / "cluster") as url, cluster(folder / "keys") as keys:
        new = on_servers(kafka_bootstrap, DATABASE_URL=url, KEYS_URL=keys) | {"TAMAS_DATA": str(folder / "new")}
        _restore(new, kept, made)
        adopted = Installation.command(new, "record", "adopt", "--json")
        assert adopted.returncode == 0, adopted.stderr
        with running(folder / "new", new) as up:
            rows = asyncio.run(record(up.settings))
            assert {one.text for one in [*before.accepted, *accepted]} <= _texts(rows) | {
                one.text for one in before.accepted if one.address == gone
            }
            # Providers send again what we lost, and what we did not; customers write on.
            after = traffic_again(up, before, [*meanwhile.lanes, *written_by(63, AFTER, ("sms", "form", "mail"))])
            with after.flowing():
                pass
            assert after.duplicates >= sum(one.door != "mail" for one in accepted)
            _check(up, [*before.accepted, *after.accepted], gone)


def test_topics_outlive_the_record(postgres_url: str, kafka_bootstrap: str, folder: Path) -> None:
    """Restored on the very server where it was; what came after the backup, an erasure too, is put back."""
    old = on_servers(kafka_bootstrap, DATABASE_URL=new_database(postgres_url))
    kept = folder / "kept"
    with running(folder / "data", old) as up:
        before = _sent(up, 64, BEFORE)
        meanwhile = traffic_again(up, before, written_by(65, MEANWHILE, ("sms", "form")))
        _, made = _backup_under(up, meanwhile, kept)
        gone = _erase_one(up, before)
        eventually(lambda: _published(up), "the relay has published all")
    shutil.rmtree(folder / "data" / "blobs")
    new = old | {"DATABASE_URL": new_database(postgres_url), "TAMAS_DATA": str(folder / "data")}
    _restore(new, kept, made)
    adopted = Installation.command(new, "record", "adopt", "--from-kafka", "--json")
    assert adopted.returncode == 0, adopted.stderr
    said, *lines = [json.loads(line) for line in adopted.stdout.splitlines()]
    assert said["first_position"] == EPOCH_POSITIONS
    assert any("erased again" in line.get("note", "") for line in lines)
    with running(folder / "data", new) as up:
        after = traffic_again(up, before, written_by(66, AFTER, ("sms", "form", "mail")))
        with after.flowing():
            pass
        _check(up, [*before.accepted, *meanwhile.accepted, *after.accepted], gone)


def test_on_the_servers_of_tamas_up_itself(folder: Path) -> None:
    """On a new machine with the old one's secret: restored while a new `tamas up` runs, which goes on once adopted."""
    kept = folder / "kept"
    with running(folder / "data", {}) as up:
        before = _sent(up, 67, BEFORE)
        gone = _erase_one(up, before)
        done = up.run("backup", str(kept))
        assert done.returncode == 0, done.stderr
        secret = (up.data / "secret.key").read_bytes()
    shutil.rmtree(folder / "data")
    (folder / "new").mkdir()
    (folder / "new" / "secret.key").write_bytes(secret)
    with running(folder / "new", {}) as up:
        for words in (("restore", str(kept)), ("record", "adopt")):
            done = up.run(*words)
            assert done.returncode == 0, done.stderr
        after = traffic_again(up, before, written_by(68, AFTER, ALL_DOORS))
        with after.flowing():
            pass
        _check(up, [*before.accepted, *after.accepted], gone)


def _sent(up: Installation, seed: int, messages: int) -> Traffic:
    traffic = traffic_to(up, seed, messages)
    with traffic.flowing():
        pass
    eventually(lambda: on_record(up.settings) == messages, "mails are read")
    return traffic


def _erase_one(up: Installation, traffic: Traffic) -> str:
    """Somebody who wrote mails, which have blobs."""
    gone = next(one.address for one in traffic.accepted if one.door == "mail")
    erased = up.run("erase", gone)
    assert erased.returncode == 0, erased.stderr
    return gone


def _backup_under(up: Installation, traffic: Traffic, kept: Path) -> tuple[list[Message], dict[str, Any]]:
    """What was accepted before the backup began, and what the backup says."""
    with traffic.flowing(MEANWHILE // 3):
        traffic.wait_for(MEANWHILE // 3)
        accepted = list(traffic.accepted)
        traffic.let(MEANWHILE)
        done = up.run("backup", str(kept), "--json")
    assert done.returncode == 0, done.stderr
    assert "TAMAS_SECRET_KEY is not in the backup" in done.stderr
    assert len(traffic.accepted) == MEANWHILE
    assert up.run("backup", str(kept)).returncode == NO
    eventually(lambda: on_record(up.settings) == BEFORE + MEANWHILE, "mails are read")
    return accepted, json.loads(done.stdout)


def _restore(environment: dict[str, str], kept: Path, made: dict[str, Any]) -> None:
    restored = Installation.command(environment, "restore", str(kept), "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout) == made
    assert "tamas record adopt" in restored.stderr
    refused = Installation.command(environment, "up", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
    assert (refused.returncode, "tamas record adopt" in refused.stderr) == (CONFIGURATION, True)
    assert Installation.command(environment, "restore", str(kept)).returncode == NO, "it is not empty any more"


def _published(up: Installation) -> bool:
    status = json.loads(up.run("status", "--json").stdout)
    return status["relay"]["position"] >= status["head"]


def _texts(rows: Sequence[Row]) -> set[str]:
    return {orjson.loads(row.payload)["personal"]["text"] for row in rows if row.type == RECEIVED and not row.erased}


def _check(up: Installation, sent: Sequence[Message], gone: str) -> None:
    """Each is there once, but for who is erased; nothing of them opens."""
    eventually(lambda: on_record(up.settings) >= len(sent), "every accepted request is on the record")
    rows = asyncio.run(record(up.settings))
    received = [row for row in rows if row.type == RECEIVED]
    theirs = [one for one in sent if one.address == gone]
    assert (len(received), sum(row.erased for row in received)) == (len(sent), len(theirs))
    assert _texts(rows) == {one.text for one in sent if one.address != gone}
    assert [row.type for row in rows].count("address.erased") == 1
    check_read_models(up.settings)
    assert [one for one in asyncio.run(findings(up.settings)) if not one.ok] == []
    mails = asyncio.run(_blobs(up.settings, sorted((up.data / "blobs").glob(f"{TENANT}/*/*"))))
    wanted = [one for one in sent if one.door == "mail" and one.address != gone]
    assert len(mails) == len(wanted)
    assert all(any(one.text.encode() in mail for mail in mails) for one in wanted)


async def _blobs(settings: Settings, paths: Sequence[Path]) -> list[bytes]:
    """Every blob, opened."""
    store = BlobStore(settings.blob_url)
    async with pool(settings.keys_url, size=1) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        found: list[bytes] = []
        for path in paths:
            address_id = UUID(path.parent.name)
            subject = (await ring.by_ids([address_id]))[address_id]
            assert subject is not None
            content = await store.get(TENANT, subject, UUID(path.name))
            assert content is not None
            found.append(content)
    return found
