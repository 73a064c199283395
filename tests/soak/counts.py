"""The same interactions, counted by inbox where they were accepted, on the record, on Kafka and on the timeline."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services import topics
from services.produce import connection
from services.settings import Settings
from tests.bench.figures import Figure, single

_RECORDED = "SELECT inbox_id::text, count(*) FROM record.facts WHERE type = 'interaction.received' GROUP BY 1"
_LIVE = "SELECT name || '_g' || generation FROM views.models WHERE name = 'timeline' AND state = 'live'"
_SHOWN = "SELECT inbox_id::text, count(*) FROM {}.interactions WHERE revision > 0 GROUP BY 1"
_EMPTY = "SELECT count(*) FROM {}.interactions WHERE revision = 0"
_FACTS = "SELECT count(*) FROM record.facts WHERE topic = 'interactions'"
_DOUBLED = "SELECT count(*) - count(DISTINCT event_id) FROM record.facts"
_PARKED = "SELECT (SELECT count(*) FROM service.parked) + (SELECT count(*) FROM service.pending)"
_SET_ASIDE = "SELECT count(*) FROM views.parked"
_RECEIVED = b"tamas.interaction.received.v1"


async def counts(settings: Settings, kinds: Mapping[str, str], accepted: Mapping[str, int]) -> list[Figure]:
    """Each must be what was accepted, kind by kind; prints the table."""
    wire, on_wire, doubled = await _on_kafka(settings)
    with psycopg.connect(settings.record_url) as record, psycopg.connect(settings.views_url) as views:
        ((schema,),) = views.execute(_LIVE).fetchall()
        columns = {
            "accepted": accepted,
            "record": _by_kind(dict(record.execute(_RECORDED).fetchall()), kinds),
            "Kafka": _by_kind(wire, kinds),
            "timeline": _by_kind(dict(views.execute(_SHOWN.format(schema).encode()).fetchall()), kinds),
        }
        facts = _number(record, _FACTS)
        rest = {
            "rows of the timeline without an interaction": _number(views, _EMPTY.format(schema)),
            "facts doubled on the record": _number(record, _DOUBLED),
            "requests parked or not read": _number(record, _PARKED),
            "events set aside by the projector": _number(views, _SET_ASIDE),
        }
    print(*_table(columns), sep="\n", flush=True)
    return [
        *[
            single(f"{name}: off from what was accepted", [_off(found, accepted)], "", "≤ 0")
            for name, found in columns.items()
            if found is not accepted
        ],
        single("Kafka: facts off from the record", [abs(on_wire - facts)], "", "≤ 0"),
        single("Kafka: records that are there twice", [doubled], "", "≤ 0"),
        *[single(name, [count], "", "≤ 0") for name, count in rest.items()],
    ]


def _table(columns: Mapping[str, Mapping[str, int]]) -> list[str]:
    kinds = list(columns["accepted"])
    rows = [("", *kinds, "all")]
    rows += [
        (name, *[f"{found.get(kind, 0):,}" for kind in kinds], f"{sum(found.values()):,}")
        for name, found in columns.items()
    ]
    return ["  " + f"{row[0]:<10}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows]


def _off(found: Mapping[str, int], accepted: Mapping[str, int]) -> int:
    return sum(abs(found.get(kind, 0) - accepted.get(kind, 0)) for kind in {*found, *accepted})


def _by_kind(by_inbox: Mapping[str, int], kinds: Mapping[str, str]) -> dict[str, int]:
    # An inbox that is none of ours shows as a kind of its own: it must not be there.
    return {kinds.get(inbox, inbox): count for inbox, count in by_inbox.items()}


def _number(held: psycopg.Connection, query: str) -> int:
    row = held.execute(query.encode()).fetchone()
    return 0 if row is None else int(row[0])


async def _on_kafka(settings: Settings) -> tuple[Counter[str], int, int]:
    """Interactions by inbox; distinct facts of all types; records that a `ce_id` has beyond its first."""
    name = topics.name_of(settings, "interactions")
    partitions = [TopicPartition(name, number) for number in range(settings.topic_partitions)]
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    found: Counter[str] = Counter()
    seen: set[bytes] = set()
    doubled = 0
    try:
        ends = cast("dict[TopicPartition, int]", await consumer.end_offsets(partitions))
        consumer.assign(partitions)
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            fetched = cast("dict[TopicPartition, list[Any]]", await consumer.getmany(timeout_ms=500, max_records=5000))
            for headers in (dict(one.headers) for records in fetched.values() for one in records):
                event_id = UUID(headers["ce_eventid"].decode()).bytes + headers["ce_revision"]
                if event_id in seen:
                    doubled += 1
                    continue
                seen.add(event_id)
                if headers["ce_type"] == _RECEIVED:
                    found[headers["ce_source"].decode().rpartition("/")[2]] += 1
    finally:
        await consumer.stop()
    return found, len(seen), doubled
