from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from schemas.event import AnyFact, read_fact
from schemas.interaction import Content, InteractionReceived
from schemas.setting import InboxAdded, TenantRegistered
from services import database
from services.keys.ring import Ring, Subject
from services.keys.vault import Unsealable, Vault, event_context, seal
from services.record.append import Appender, FactRow
from services.record.decisions import Decided, Decisions
from services.record.reader import Reader, event_of
from services.settings import Settings

TENANT = TenantRegistered(
    tenant="acme", name="Acme", region="IR", time_zone="Asia/Tehran", language="fa", calendar="persian"
)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncGenerator[tuple[Reader, Ring]]:
    keys = database.pool(settings.keys_url)
    async with database.pool(settings.record_url, role="tamas_relay") as record, keys:
        ring = Ring(keys, Vault(settings.secrets()))
        yield Reader(record, ring), ring


async def _subject(ring: Ring, number: int = 0, tenant: str = "acme") -> Subject:
    pair = (tenant, f"tel:+98912000{number:04}")
    return (await ring.subjects([pair]))[pair]


async def _append(settings: Settings, subject: Subject, *texts: str, tenant: str = "acme") -> list[UUID]:
    rows = [_fact(subject, text, tenant) for text in texts]
    appender = await Appender.open(settings.record_url)
    await appender.new_of([(row.event_id, 1, tenant, row.event_id) for row in rows])
    await appender.commit(rows)
    await appender.close()
    return [row.event_id for row in rows]


def _fact(subject: Subject, text: str, tenant: str) -> FactRow:
    event_id = uuid4()
    content = Content(address="tel:+989120000000", text=text)
    fact = InteractionReceived(interaction_id=event_id, kind="message", channel="sms/twilio", personal=content)
    return FactRow(
        event_id=event_id,
        tenant=tenant,
        topic="interactions",
        type=fact.type,
        version=1,
        subject=subject.address_id,
        inbox_id=uuid4(),
        raw_id=event_id,
        occurred_at=datetime(2026, 3, 21, tzinfo=UTC),
        data=fact.clear_json(),
        personal=seal(subject.cipher, fact.personal_json() or b"", event_context(event_id.bytes, 1)),
    )


def _decide(settings: Settings, *facts: AnyFact) -> UUID:
    decisions, stream_id = Decisions(settings.record_url), uuid4()
    decisions.save([Decided(stream_id, n, "acme", fact) for n, fact in enumerate(facts, start=1)])
    decisions.close()
    return stream_id


async def test_facts_and_decisions_are_one_sequence(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        subject = await _subject(ring)
        assert (await reader.read(0, 10), await reader.head()) == ([], 0)
        first = await _append(settings, subject, "یک", "دو")
        stream_id = _decide(settings, TENANT)
        second = await _append(settings, subject, "سه")
        rows = await reader.read(0, 10)
        assert [row.event_id for row in rows if row.topic == "interactions"] == first + second
        assert [row.type for row in rows] == ["interaction.received"] * 2 + ["tenant.registered"] + [
            "interaction.received"
        ]
        assert rows[2].subject == stream_id
        assert rows[2].occurred_at == rows[2].recorded_at
        assert event_of(rows[2]).fact == TENANT
        message = read_fact(rows[3].payload)
        assert isinstance(message, InteractionReceived)
        assert message.personal is not None
        assert message.personal.text == "سه"
        assert await reader.head() == rows[3].position
        pages = [(await reader.read(after, 1))[0] for after in [0, *(row.position for row in rows[:-1])]]
        assert pages == rows


async def test_filters(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        await _append(settings, await _subject(ring), "ours")
        await _append(settings, await _subject(ring, tenant="other"), "theirs", tenant="other")
        inbox = InboxAdded(inbox_id=uuid4(), channel="sms/twilio", name="n", address="tel:+1", natural_name="twilio:+1")
        _decide(settings, TENANT, inbox)
        assert {row.tenant for row in await reader.read(0, 10, tenant="other")} == {"other"}
        assert [row.type for row in await reader.read(0, 10, topics=["settings"])] == [
            "tenant.registered",
            "inbox.added",
        ]
        assert len(await reader.read(0, 10, topics=["settings", "interactions"], tenant="acme")) == 3
        assert await reader.read(0, 10, topics=[]) == []


async def test_a_page_ends_at_four_megabytes_but_has_a_row(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        subject = await _subject(ring)
        await _append(settings, subject, *["x" * 250_000] * 20)
        await _append(settings, subject, "y" * 5_000_000, "z")
        sizes: list[int] = []
        after = 0
        while rows := await reader.read(after, 100):
            sizes.append(len(rows))
            after = rows[-1].position
        assert sizes == [16, 4, 1, 1]


async def test_erased_rows_have_no_personal_part(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        kept, erased = await _subject(ring, 1), await _subject(ring, 2)
        await _append(settings, kept, "kept")
        await _append(settings, erased, "erased")
        assert [row.erased for row in await reader.read(0, 10)] == [False, False]
        await ring.forget("acme", "tel:+989120000002")
        rows = await reader.read(0, 10)
        assert [(row.erased, b'"personal"' in row.payload) for row in rows] == [(False, True), (True, False)]
        assert read_fact(rows[1].payload).type == "interaction.received"


async def test_hears_of_an_erasure_by_another_process(settings: Settings) -> None:
    async with reading(settings) as (reader, ring), reading(settings) as (_, other):
        subject = await _subject(ring)
        await _append(settings, subject, "before")
        assert not (await reader.read(0, 1))[0].erased
        await other.forget("acme", "tel:+989120000000")
        with psycopg.connect(settings.record_url, autocommit=True) as record:
            record.execute(
                "INSERT INTO record.facts (position, recorded_at, event_id, revision, tenant, topic, type, version, "
                "subject, occurred_at, data) SELECT nextval('record.position'), record.tick(), gen_random_uuid(), 1, "
                "'acme', 'customers', 'address.erased', 1, %s, now(), '{}'",
                (subject.address_id,),
            )
        assert [row.erased for row in await reader.read(0, 10)] == [True, False]


async def test_a_changed_value_is_an_error(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        await _append(settings, await _subject(ring), "text")
        with psycopg.connect(settings.record_url, autocommit=True) as record:
            record.execute("UPDATE record.facts SET personal = set_byte(personal, 20, get_byte(personal, 20) # 1)")
        with pytest.raises(Unsealable, match="the personal part at position 1 is not what was sealed there"):
            await reader.read(0, 10)


async def test_times_become_positions(settings: Settings) -> None:
    async with reading(settings) as (reader, ring):
        subject = await _subject(ring)
        await _append(settings, subject, "a", "b")
        with psycopg.connect(settings.record_url, autocommit=True) as record:
            record.execute("SELECT setval('record.position', (1::bigint << 40))")
            record.execute(
                "CREATE TABLE record.far PARTITION OF record.facts FOR VALUES FROM (1000000000) TO (MAXVALUE)"
            )
        await _append(settings, subject, "c")
        _decide(settings, TENANT)
        rows = await reader.read(0, 10)
        # Rows of one group share their time: the last of them is the position.
        last_of = {row.recorded_at: row.position for row in rows}
        for at, position in last_of.items():
            assert await reader.position_at(at) == position
            before = max([row.position for row in rows if row.recorded_at < at], default=0)
            assert await reader.position_at(at - timedelta(microseconds=1)) == before
        assert await reader.position_at(datetime.now(UTC)) == rows[-1].position
        assert await reader.position_at(rows[0].recorded_at - timedelta(days=1)) == 0
