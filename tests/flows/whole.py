"""Nothing lost, nothing doubled, order kept, read models as a rebuild makes them: looked at from outside."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import orjson
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import sql

from projections.contract import Projection
from projections.generation import digest, position
from projections.registry import SETS, topics_of
from services import topics
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.produce import connection
from services.projector.rebuild import rebuild
from services.record.check import check
from services.record.reader import Reader, Row
from services.settings import Settings
from tests.flows.doors.opened import Message
from tests.flows.installation import Installation, eventually

RECEIVED = "interaction.received"
_TOLD = "SELECT topic, position FROM record.facts UNION ALL SELECT topic, position FROM record.decisions"
_UNDECIDED = f"""
    SELECT count(*) FROM (VALUES ('conversations', ARRAY['interactions']),
        ('dispatch', ARRAY['interactions', 'cases', 'outbound'])) AS hears (decider, topics)
    WHERE (SELECT coalesce(max(position), 0) FROM ({_TOLD}) AS told WHERE topic = ANY(hears.topics))
        > (SELECT coalesce(max(d.position), 0) FROM service.deciders AS d WHERE d.decider = hears.decider)"""
_UNSENT = "SELECT count(*) FROM service.messages WHERE state IN ('asked', 'due', 'started')"


def check_whole(up: Installation, sent: Sequence[Message], *, wire: bool = True) -> list[Row]:
    """All of it; returns the record."""
    settings = up.settings
    # A mail is accepted before it is read.
    eventually(lambda: on_record(settings) >= len(sent), "every accepted request is on the record")
    rows = asyncio.run(record(settings))
    _check_record(rows, sent)
    if wire:
        _check_wire(settings, rows)
    check_read_models(settings)
    wrong = [one for one in asyncio.run(findings(settings)) if not one.ok]
    assert not wrong, f"record check: {wrong}"
    return rows


def on_record(settings: Settings) -> int:
    """How many interactions there are."""
    return count(settings, "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'")


def count(settings: Settings, query: str) -> int:
    """The number that a query gives."""
    with psycopg.connect(settings.record_url, autocommit=True) as held:
        row = held.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


async def record(settings: Settings) -> list[Row]:
    """Every row, opened."""
    async with pool(settings.record_url, size=1) as held, pool(settings.keys_url, size=1) as keys:
        reader = Reader(held, Ring(keys, Vault(settings.secrets())))
        rows: list[Row] = []
        while page := await reader.read(rows[-1].position if rows else 0, 1000):
            rows += page
    return rows


def _check_record(rows: Sequence[Row], sent: Sequence[Message]) -> None:
    # Nobody sent what mail servers tell of our own mails.
    received = [said_in(row) for row in rows if row.type == RECEIVED and not is_bounce(row)]
    wanted, texts = {(one.address, one.text) for one in sent}, Counter(received)
    lost, strange = sorted(wanted - set(texts)), sorted(set(texts) - wanted)
    assert not lost, f"{len(lost)} of {len(wanted)} interactions are lost: {lost[:5]}"
    assert not strange, f"{len(strange)} interactions were never sent: {strange[:5]}"
    doubled = [said for said, times in texts.items() if times > 1]
    assert not doubled, f"{len(doubled)} interactions are doubled: {doubled[:5]}"
    positions = [row.position for row in rows]
    assert positions == sorted(set(positions)), "positions do not grow"
    heard: dict[str, list[str]] = {}
    for address, text in received:
        heard.setdefault(address, []).append(text)
    for address, texts_sent in sent_by_address(sent, but=("mail",)).items():
        assert heard[address] == texts_sent, f"the order of {address} on the record is {heard[address]}"


def said_in(row: Row) -> tuple[str, str]:
    """Address and text of an interaction. A call has no text: its SIP id stands for it."""
    said = orjson.loads(row.payload)["personal"]
    return said["address"], said.get("text") or said["fields"]["SipCallId"]


def is_bounce(row: Row) -> bool:
    """Whether a mail server wrote it, of a mail of ours that it could not deliver."""
    return orjson.loads(row.payload).get("automatic") == "bounce"


def sent_by_address(sent: Sequence[Message], but: Sequence[str] = ()) -> dict[str, list[str]]:
    """The texts of each customer in the order in which they were sent, but for these doors."""
    found: dict[str, list[str]] = {}
    for one in sorted(sent, key=_number):
        if one.door not in but:
            found.setdefault(one.address, []).append(one.text)
    return found


def _number(one: Message) -> tuple[int, int]:
    return int(one.text.partition("/")[0]), one.number


def _check_wire(settings: Settings, rows: Sequence[Row]) -> None:
    """A plain subscriber that drops what it has seen by `ce_id` ends with exactly the record."""
    wanted = {(_ce_id(row), row.position) for row in rows if row.topic == "interactions"}
    head = max(row.position for row in rows)
    eventually(lambda: _cursor(settings) >= head, "the relay has published all")
    published = asyncio.run(read_topic(settings, "interactions"))
    by_key: dict[bytes, list[int]] = {}
    seen: dict[str, int] = {}
    for key, ce_id, at in published:
        if ce_id not in seen:
            seen[ce_id] = at
            by_key.setdefault(key, []).append(at)
    apart = sorted(wanted ^ set(seen.items()))
    assert not apart, f"{len(apart)} events are only on the record or only on Kafka: {apart[:5]}"
    # A duplicate may stand before what it was doubled with; who skips by position sees the order.
    skipping = [[at for n, at in enumerate(found) if at > max(found[:n], default=0)] for found in by_key.values()]
    assert sum(map(len, skipping)) == len(wanted), "a subscriber by position would miss something"


def check_wire_by_id(settings: Settings, rows: Sequence[Row]) -> None:
    """A subscriber that drops what it has seen by `ce_id`, through two lives of the record, ends with exactly it."""
    head = max(row.position for row in rows)
    eventually(lambda: _cursor(settings) >= head, "the relay has published all")
    wanted: dict[bytes, list[str]] = {}
    for row in rows:
        if row.topic == "interactions":
            wanted.setdefault(str(row.subject).encode(), []).append(_ce_id(row))
    found: dict[bytes, dict[str, None]] = {}
    for key, ce_id, _ in asyncio.run(read_topic(settings, "interactions")):
        found.setdefault(key, {}).setdefault(ce_id)
    assert {key: list(ids) for key, ids in found.items()} == wanted


def _ce_id(row: Row) -> str:
    return str(row.event_id) if row.revision == 1 else f"{row.event_id}.r{row.revision}"


def _cursor(settings: Settings) -> int:
    return count(settings, "SELECT coalesce(max(position), 0) FROM service.relay_cursor")


async def read_topic(settings: Settings, topic: str) -> list[tuple[bytes, str, int]]:
    """Key, ce_id and position of every record, by partition and offset."""
    name = topics.name_of(settings, topic)
    partitions = [TopicPartition(name, n) for n in range(settings.topic_partitions)]
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        starts = cast("dict[TopicPartition, int]", await consumer.beginning_offsets(partitions))
        ends = cast("dict[TopicPartition, int]", await consumer.end_offsets(partitions))
        consumer.assign(partitions)
        found: dict[TopicPartition, list[Any]] = {held: [] for held in partitions}
        async with asyncio.timeout(30):
            while any(len(found[held]) < ends[held] - starts[held] for held in partitions):
                fetched = cast("dict[TopicPartition, list[Any]]", await consumer.getmany(timeout_ms=200))
                for held, records in fetched.items():
                    found[held] += records
    finally:
        await consumer.stop()
    return [_told(one) for held in partitions for one in found[held]]


def _told(one: Any) -> tuple[bytes, str, int]:
    headers = dict(one.headers)
    return one.key, headers["ce_id"].decode(), int(headers["ce_position"])


def check_read_models(settings: Settings) -> None:
    """What was folded through all of it equals what a rebuild makes of the record."""
    eventually(lambda: asyncio.run(_viewed(settings)), "all is decided on and sent, and the projector has read all")
    before = asyncio.run(_folded(settings))
    reports = {name: asyncio.run(rebuild(settings, name)) for name in sorted(before)}
    after = asyncio.run(_folded(settings))
    assert sorted(before) == sorted(one.name for models in SETS.values() for one in models)
    for name, report in reports.items():
        (digests, folded), (made_again, rebuilt) = before[name], after[name]
        apart = [sorted(folded - rebuilt)[:3], sorted(rebuilt - folded)[:3]]
        assert report.compared, f"there was nothing to compare a rebuild of {name} with"
        assert report.differences == {}, f"a rebuild of {name} differs: {report.differences}; folded, rebuilt: {apart}"
        assert digests == made_again, f"a rebuild of {name} differs; folded, rebuilt: {apart}"


async def _viewed(settings: Settings) -> bool:
    if count(settings, _UNDECIDED) or count(settings, _UNSENT):
        return False
    async with await psycopg.AsyncConnection.connect(settings.views_url, autocommit=True) as held:
        return all([await position(held, name) >= _head(settings, models) for name, models in SETS.items()])


def _head(settings: Settings, models: tuple[Projection, ...]) -> int:
    topics = ", ".join(f"'{topic}'" for topic in topics_of(models))
    return count(settings, f"SELECT coalesce(max(position), 0) FROM ({_TOLD}) AS told WHERE topic IN ({topics})")


async def _folded(settings: Settings) -> dict[str, tuple[dict[str, tuple[int, int]], set[str]]]:
    """The digests and all rows of each read model, of the generation that serves."""
    async with await psycopg.AsyncConnection.connect(settings.views_url, autocommit=True) as held:
        cursor = await held.execute("SELECT name, name || '_g' || generation FROM views.models WHERE state = 'live'")
        models = await cursor.fetchall()
        return {name: (await digest(held, schema), await _rows(held, schema)) for name, schema in models}


async def _rows(held: psycopg.AsyncConnection[Any], schema: str) -> set[str]:
    rows: set[str] = set()
    for table in await digest(held, schema):
        query = sql.SQL("SELECT {} || t::text FROM {} AS t").format(table, sql.Identifier(schema, table))
        rows |= {row for (row,) in await (await held.execute(query)).fetchall()}
    return rows


async def findings(settings: Settings) -> list[Any]:
    """What `tamas record check --all` finds."""
    async with pool(settings.record_url, size=2) as held, pool(settings.keys_url, size=1) as keys:
        return list(await check(held, keys, Vault(settings.secrets()), every=True))
