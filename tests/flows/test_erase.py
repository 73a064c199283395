"""`tamas erase`: nothing that is kept, and nothing that can be opened, holds the person any more; the numbers stay."""

import asyncio
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import psycopg

from projections.generation import reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import DayCount, counts_per_day
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.raw import opened
from services.settings import Settings
from tests.flows.clusters import dump
from tests.flows.doors.opened import TENANT
from tests.flows.installation import Installation
from tests.flows.traffic import Traffic, traffic_to
from tests.flows.whole import check_read_models, check_whole, on_record, record

COUNT = 300


def test_erased_from_everywhere_and_the_numbers_stay(up: Installation, folder: Path) -> None:
    traffic = traffic_to(up, 41, COUNT)
    with traffic.flowing():
        pass
    check_whole(up, traffic.accepted)
    settings = up.settings
    erased = [_customer(traffic, door) for door in ("sms", "form", "mail")]
    needles = [needle for customer in erased for needle in _needles(traffic, customer)]
    before = asyncio.run(_counts(settings))
    assert _found(settings, up.data, folder, needles), "the search finds what is there"
    for customer in erased:
        done = up.run("erase", customer, "--json")
        assert done.returncode == 0, done.stderr
        certificate = json.loads(done.stdout)
        theirs = [one for one in traffic.accepted if one.address == customer]
        kept = {one["type"]: one["count"] for one in certificate["stays"]}
        assert kept == {"interaction.received": len(theirs), "address.erased": 1}
        assert certificate["destroyed"]["raw_requests"] == len(theirs)
        assert certificate["destroyed"]["blobs"] == (len(theirs) if customer.startswith("mailto:") else 0)
        assert certificate["held_by_others"] == []
        assert certificate["read_models_purged"]
    assert _found(settings, up.data, folder, needles) == set()
    assert asyncio.run(_counts(settings)) == before
    check_read_models(settings)
    assert asyncio.run(_counts(settings)) == before
    assert _found(settings, up.data, folder, needles) == set(), "a rebuild brings it back"
    rows = asyncio.run(record(settings))
    assert sum(row.erased for row in rows) == sum(one.address in erased for one in traffic.accepted)
    assert up.run("erase", erased[0]).returncode == 1


def test_who_writes_on_is_somebody_new_and_loses_nothing(up: Installation) -> None:
    """Everybody writes on meanwhile, that person too: what is accepted after the erasure is there, and opens."""
    traffic = traffic_to(up, 42, COUNT, ("sms",))
    lane = max(traffic.lanes, key=len)
    customer, allowed = lane[0].address, COUNT // 3
    settings = up.settings
    with traffic.flowing(allowed), ThreadPoolExecutor(1) as beside:
        traffic.wait_for(allowed)
        erasing = beside.submit(up.run, "erase", customer, "--json")
        while not erasing.done():
            # A steady stream over the seconds that an erasure takes.
            allowed += 2
            traffic.let(allowed)
            time.sleep(0.1)
        done = erasing.result()
        assert done.returncode == 0, done.stderr
    certificate = json.loads(done.stdout)
    rows = asyncio.run(record(settings))
    assert on_record(settings) == COUNT
    lost = [row for row in rows if row.erased]
    assert {str(row.subject) for row in lost} == {certificate["address_id"]}
    assert all(row.position < certificate["position"] for row in lost)
    opened_texts = {
        orjson.loads(row.payload)["personal"]["text"] for row in rows if row.topic == "interactions" and not row.erased
    }
    theirs = [one.text for one in lane]
    assert len(lost) + sum(text in opened_texts for text in theirs) == len(theirs)
    assert theirs[-1] in opened_texts
    assert {one.text for one in traffic.accepted if one.address != customer} <= opened_texts
    check_read_models(settings)


def _customer(traffic: Traffic, door: str) -> str:
    return next(one.address for one in traffic.accepted if one.door == door)


def _needles(traffic: Traffic, customer: str) -> list[bytes]:
    """Address and texts in every form that a dump, a file or an opened value might have them."""
    bare = customer.partition(":")[2].removeprefix("+")
    texts = [bare, *(one.text for one in traffic.accepted if one.address == customer)]
    return [form for text in texts for form in _forms(text.encode())]


def _forms(text: bytes) -> list[bytes]:
    # In base64 a text has three looks, by where it begins; what it shares with its neighbours is left out.
    shifted = [base64.b64encode(b"\0" * shift + text)[(shift * 8 + 5) // 6 :].rstrip(b"=")[:-1] for shift in range(3)]
    return [text, text.hex().encode(), text.replace(b"/", b"-"), text.replace(b"/", b"."), *shifted]


def _found(settings: Settings, data: Path, folder: Path, needles: list[bytes]) -> set[bytes]:
    """Which of these stand in a dump, in a file of the installation, or in what the installation's secret opens."""
    dump(settings.record_url, folder)
    servers = (data / "postgres", data / "kafka")
    files = [
        path for path in data.rglob("*") if path.is_file() and not any(path.is_relative_to(one) for one in servers)
    ]
    held = [path.read_bytes() for path in (*files, folder / "database.sql")]
    held += asyncio.run(_opened(settings))
    whole = b"\n".join(held)
    return {needle for needle in needles if needle in whole}


async def _opened(settings: Settings) -> list[bytes]:
    found = [row.payload for row in await record(settings)]
    with psycopg.connect(settings.record_url) as connection:
        raws = connection.execute("SELECT raw_id, tenant, day, sealed FROM record.raw").fetchall()
    async with pool(settings.keys_url, size=1) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        for raw_id, tenant, day, sealed in raws:
            cipher = await ring.existing_day(tenant, day)
            assert cipher is not None
            request = opened(sealed, raw_id, cipher)
            found += [request.body, request.url.encode(), *(value.encode() for _, value in request.headers)]
    return found


async def _counts(settings: Settings) -> list[DayCount]:
    async with (
        await psycopg.AsyncConnection.connect(settings.views_url, autocommit=True) as connection,
        reading(connection, TIMELINE, TENANT) as tx,
    ):
        return await counts_per_day(tx, TENANT)
