import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from channels.contract import Blob, Heard, InboundRequest, Origin
from schemas.interaction import Content, InteractionReceived
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.spool import Spool
from services.ingress.submission import Submission
from services.keys import erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.check import check
from services.record.erase import Certificate, erase
from services.record.errors import Refused
from services.record.holders import is_from, names
from services.record.raw import opened
from services.record.reader import Reader
from services.settings import Settings

ORIGIN = Origin("acme", "twilio:+982112345678")
HER, HIM = "tel:+989121234567", "tel:+989127654321"


@dataclass
class House:
    settings: Settings
    record: AsyncConnectionPool
    keys: AsyncConnectionPool
    ring: Ring
    intake: Intake

    async def erase(self, address: str = HER) -> Certificate:
        return await erase(
            self.settings, self.record, self.keys, self.ring, tenant="acme", address=address, settled_seconds=0.1
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.settings.record_url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@asynccontextmanager
async def housed(settings: Settings) -> AsyncGenerator[House]:
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        intake = Intake(settings.record_url, ring, BlobStore(settings.blob_url))
        intake.start()
        yield House(settings, record, keys, ring, intake)
        await intake.stop()


def _request(body: str, method: str = "POST", *headers: tuple[str, str]) -> InboundRequest:
    return InboundRequest(method, "https://x/", headers, body.encode(), datetime.now(UTC), ORIGIN)


def _heard(key: str, address: str, text: str = "salaam", *blobs: Blob) -> Heard:
    content = Content(address=address, text=text)
    fact = InteractionReceived(
        interaction_id=ORIGIN.derive(key, "interaction"), kind="message", channel="sms/twilio", personal=content
    )
    return Heard(key, address, fact, None, blobs)


def _submission(*heard: Heard, body: str = "b") -> Submission:
    return Submission(_request(body), uuid4(), heard)


async def test_only_what_holds_that_person_alone_goes_and_the_numbers_stay(settings: Settings) -> None:
    async with housed(settings) as house:
        blob = Blob(uuid4(), b"a picture of her")
        alone, his = _submission(_heard("1", HER, "x", blob)), _submission(_heard("2", HIM, "his"))
        both = _submission(_heard("3", HER), _heard("4", HIM))
        for one in (alone, his, both):
            await house.intake.submit(one)
        her = (await house.ring.subjects([("acme", HER)]))["acme", HER]
        made = await house.erase()
        assert made.address_id == her.address_id
        assert made.destroyed == {"keys": 1, "raw_requests": 1, "blobs": 1, "parked": 0, "notes_on_requests": 0}
        today = datetime.now(UTC).date()
        assert made.stays == [(today, "address.erased", 1), (today, "interaction.received", 2)]
        assert made.held_by_others == {both.raw_id: today + timedelta(days=90)}
        assert {row[0] for row in house.rows("SELECT raw_id FROM record.raw")} == {his.raw_id, both.raw_id}
        rows = await Reader(house.record, house.ring).read(0, 10)
        assert [(row.type, row.erased) for row in rows] == [
            ("interaction.received", True),
            ("interaction.received", False),
            ("interaction.received", True),
            ("interaction.received", False),
            ("address.erased", False),
        ]
        assert rows[-1].position == made.position
        assert rows[-1].topic == "customers"
        assert not list(settings.data.rglob(blob.blob_id.hex))
        assert all(one.ok for one in await check(house.record, house.keys, Vault(settings.secrets()), every=True))
        with pytest.raises(Refused, match="Nothing is kept"):
            await house.erase()


async def test_a_request_shared_with_someone_erased_before_goes_too(settings: Settings) -> None:
    async with housed(settings) as house:
        both = _submission(_heard("3", HER), _heard("4", HIM))
        await house.intake.submit(both)
        assert both.raw_id in (await house.erase(HIM)).held_by_others
        assert (await house.erase(HER)).destroyed["raw_requests"] == 1
        assert house.rows("SELECT FROM record.raw") == []


async def test_a_parked_request_of_hers_goes_and_that_of_another_stays(settings: Settings) -> None:
    async with housed(settings) as house:
        await house.intake.submit(_submission(_heard("1", HER)))
        hers = Submission(_request("From=%2B989121234567&Body=x"), uuid4(), reason="MessageSid is missing.")
        mail = Submission(
            _request("To: x\r\n\r\ncall +98 912 or 09121234567", "MAIL", ("mail-from", "bob@example.org")),
            uuid4(),
            reason="too deep",
        )
        other = Submission(_request("From=%2B989127654321"), uuid4(), reason="MessageSid is missing.")
        for one in (hers, mail, other):
            await house.intake.submit(one)
        made = await house.erase()
        assert made.destroyed["parked"] == 1
        assert set(made.held_by_others) == {mail.raw_id}
        assert {row[0] for row in house.rows("SELECT raw_id FROM service.parked")} == {mail.raw_id, other.raw_id}


async def test_what_waits_for_a_parser_is_read_first_or_nothing_is_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.record.erase._DRAIN_SECONDS", 0.2)
    async with housed(settings) as house:
        await house.intake.submit(_submission(_heard("1", HER)))
        await house.intake.submit(Submission(_request("From=%2B989121234567" + " " * 70_000), uuid4(), pending=True))
        with pytest.raises(Refused, match="parser"):
            await house.erase()
        assert await house.ring.find("acme", HER) is not None
        house.rows("WITH gone AS (DELETE FROM service.pending) SELECT")
        assert (await house.erase()).destroyed["raw_requests"] == 2


async def test_what_waits_in_the_spool_comes_first_or_nothing_is_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.record.erase._DRAIN_SECONDS", 0.2)
    spool = Spool(settings.spool, 1 << 20, Vault(settings.secrets()))
    async with housed(settings) as house:
        await house.intake.submit(_submission(_heard("1", HER)))
        await spool.append(_submission(_heard("2", HER), body="From=%2B989121234567&Body=salaam"))
        (segment,) = settings.spool.glob("*/*.segment")
        assert b"salaam" not in segment.read_bytes()
        with pytest.raises(Refused, match="1 requests wait in the spool"):
            await house.erase()
        spool.drained(await spool.next(10))
        assert await spool.next(10) == []
        assert (await house.erase()).destroyed["keys"] == 1
        await spool.close()
        assert list(settings.spool.iterdir()) == []


@pytest.mark.parametrize("step", ["destroy", "finish"])
async def test_an_erasure_that_was_cut_short_is_finished_by_asking_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with housed(settings) as house:
        await house.intake.submit(_submission(_heard("1", HER)))
        with monkeypatch.context() as broken:

            async def fail(*_: object) -> None:
                raise psycopg.OperationalError("gone")

            broken.setattr(erasures, step, fail)
            with pytest.raises(psycopg.OperationalError):
                await house.erase()
        await house.erase()
        assert house.rows("SELECT count(*) FROM record.facts WHERE type = 'address.erased'") == [(1,)]
        assert house.rows("SELECT FROM keys.subjects WHERE wrapped IS NOT NULL OR lookup IS NOT NULL") == []


async def test_what_she_writes_while_it_goes_on_is_lost_to_nobody(settings: Settings) -> None:
    """Other processes hear of it in half a second; until then they seal under the old key, which still opens."""
    async with housed(settings) as house, pool(settings.keys_url, size=2) as keys:
        edge = Ring(keys, Vault(settings.secrets()))
        hears = erasures.Erasures(keys, edge)
        intake = Intake(settings.record_url, edge, BlobStore(settings.blob_url))
        intake.start()
        await intake.submit(_submission(_heard("0", HER)))
        stop = asyncio.Event()

        async def listen() -> None:
            while not stop.is_set():
                await hears.refresh()
                await asyncio.sleep(0.1)

        async def write() -> int:
            number = 0
            while not stop.is_set():
                number += 1
                await intake.submit(_submission(_heard(str(number), HER)))
                await asyncio.sleep(0.005)
            return number

        listening, writing = asyncio.create_task(listen()), asyncio.create_task(write())
        made = await erase(
            settings, house.record, house.keys, house.ring, tenant="acme", address=HER, settled_seconds=0.5
        )
        await asyncio.sleep(0.2)
        stop.set()
        count = await writing + 1
        await listening
        await intake.stop()
        rows = await Reader(house.record, Ring(keys, Vault(settings.secrets()))).read(0, 10_000)
        assert len(rows) == count + 1
        assert not any(row.erased for row in rows if row.subject != made.address_id)
        assert {row.subject for row in rows if row.position > made.position} - {made.address_id}
        late = await check(house.record, house.keys, Vault(settings.secrets()), every=True)
        assert all(one.ok for one in late)
        # Every request of the old key is gone; every later one is there and opens.
        with psycopg.connect(settings.record_url) as connection:
            kept = connection.execute("SELECT raw_id, tenant, day, sealed FROM record.raw").fetchall()
        by_raw = {row.raw_id: row.subject for row in rows}
        assert {by_raw[raw_id] for raw_id, *_ in kept} == {row.subject for row in rows} - {made.address_id}
        for raw_id, tenant, day, sealed in kept:
            cipher = await edge.existing_day(tenant, day)
            assert cipher is not None
            assert opened(sealed, raw_id, cipher).body == b"b"


@pytest.mark.parametrize(
    ("body", "address", "named"),
    [
        ("From=%2B989121234567", HER, True),
        ("call 09121234567", HER, True),
        ("call 09121234568", HER, False),
        ("from=Ali%40Example.com", "mailto:ali@example.com", True),
        ("nobody", "mailto:ali@example.com", False),
    ],
)
def test_a_request_names_an_address(body: str, address: str, named: bool) -> None:
    assert names(_request(body), address) is named


def test_a_mail_is_from_whom_its_envelope_says() -> None:
    mail = _request("x", "MAIL", ("mail-from", "Ali@example.com"))
    assert is_from(mail, "mailto:ali@example.com")
    assert not is_from(mail, "mailto:zahra@example.com")
