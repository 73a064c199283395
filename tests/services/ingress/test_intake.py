import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from channels.contract import Heard, InboundRequest, Origin
from schemas.interaction import Content, InteractionReceived
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.spool import Spool
from services.ingress.submission import Away, Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.raw import opened
from services.settings import Settings

ORIGIN = Origin("shop", "twilio:+982112345678")


@pytest.fixture
async def ring(settings: Settings) -> AsyncIterator[Ring]:
    keys = pool(settings.keys_url)
    await keys.open()
    yield Ring(keys, Vault(settings.secrets()))
    await keys.close()


@pytest.fixture
async def intake(settings: Settings, ring: Ring) -> AsyncIterator[Intake]:
    made = Intake(settings.record_url, ring, BlobStore(settings.blob_url))
    made.start()
    yield made
    await made.stop()


def _submission(key: str, text: str = "salaam", address: str = "tel:+989121234567") -> Submission:
    request = InboundRequest("POST", "https://x/", (), f"{key}={text}".encode(), datetime.now(UTC), ORIGIN)
    content = Content(address=address, text=text)
    interaction_id = ORIGIN.derive(key, "interaction")
    fact = InteractionReceived(interaction_id=interaction_id, kind="message", channel="sms/twilio", personal=content)
    return Submission(request, uuid4(), [Heard(key, address, fact)])


def _count(settings: Settings, table: str) -> int:
    with psycopg.connect(settings.record_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return row[0]


async def test_each_request_is_one_fact_and_a_repeat_is_known(settings: Settings, intake: Intake) -> None:
    first = await asyncio.gather(*(intake.submit(_submission(f"SM{n}")) for n in range(300)))
    again = await asyncio.gather(*(intake.submit(_submission(f"SM{n}")) for n in range(300)))
    assert {outcome.result for outcome in first} == {"accepted"}
    assert {outcome.result for outcome in again} == {"duplicate"}
    assert [outcome.event_ids for outcome in first] == [outcome.event_ids for outcome in again]
    assert _count(settings, "record.facts") == _count(settings, "record.raw") == 300


async def test_copies_at_the_same_moment_make_one_fact(settings: Settings, intake: Intake) -> None:
    outcomes = await asyncio.gather(*(intake.submit(_submission("SM1")) for _ in range(64)))
    assert sorted(outcome.result for outcome in outcomes) == ["accepted"] + ["duplicate"] * 63
    assert _count(settings, "record.facts") == 1


async def test_one_guilty_request_is_parked_alone(settings: Settings, intake: Intake) -> None:
    guilty = _submission("SM-long", text="x" * 300_000)
    others = [_submission(f"SM{n}") for n in range(20)]
    outcomes = await asyncio.gather(*(intake.submit(one) for one in [*others, guilty]))
    assert [outcome.result for outcome in outcomes] == ["accepted"] * 20 + ["parked"]
    assert _count(settings, "record.facts") == 20
    assert _count(settings, "service.parked") == 1


async def test_what_the_record_refuses_altogether_is_answered_so_and_takes_no_other_with_it(
    settings: Settings, intake: Intake
) -> None:
    refused = _submission("SM-future")
    refused.request = replace(refused.request, received_at=datetime(2099, 1, 1, tzinfo=UTC))
    others = [_submission(f"SM{n}") for n in range(20)]
    outcomes = await asyncio.gather(*(intake.submit(one) for one in [*others, refused]), return_exceptions=True)
    assert [getattr(outcome, "result", None) for outcome in outcomes[:20]] == ["accepted"] * 20
    assert isinstance(outcomes[20], Away)
    assert _count(settings, "record.facts") == 20


async def test_the_raw_request_opens_again_as_it_came(settings: Settings, intake: Intake, ring: Ring) -> None:
    one = _submission("SM1", text="سلام")
    await intake.submit(one)
    with psycopg.connect(settings.record_url) as connection:
        row = connection.execute("SELECT sealed, day FROM record.raw").fetchone()
    assert row is not None
    assert opened(row[0], one.raw_id, await ring.day("shop", row[1])) == one.request
    assert "سلام".encode() not in row[0]


async def test_an_inbox_that_spools_goes_on_so_and_no_other_does(settings: Settings, ring: Ring) -> None:
    spool = Spool(settings.spool, 1 << 20, Vault(settings.secrets()))
    intake = Intake(settings.record_url, ring, BlobStore(settings.blob_url), spool=spool)
    intake.start()
    before, behind, other, again = (_submission(key) for key in ("SM1", "SM2", "SM3", "SM4"))
    behind.inbox_id = again.inbox_id = before.inbox_id
    for one in (before, behind, other):
        one.spools = True
    await spool.append(before)
    outcomes = await asyncio.gather(intake.submit(behind), intake.submit(other), intake.submit(again))
    assert [outcome.result for outcome in outcomes] == ["accepted"] * 3
    assert outcomes[0].event_ids == behind.event_ids
    assert [kept.raw_id for kept, _ in await spool.next(10)] == [before.raw_id, behind.raw_id]
    # Who comes again by itself needs no order here either.
    assert _count(settings, "record.facts") == 2
    await intake.stop()
    await spool.close()
