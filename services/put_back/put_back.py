"""After a restore or a failover that lost a tail: what topics still hold of it goes into the record again."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Final, cast

from psycopg_pool import AsyncConnectionPool

from schemas.event import Undecodable, read_fact
from schemas.setting import SettingFact
from schemas.topics import TOPICS
from services.cloudevents import from_headers
from services.database import pool
from services.keys.again import bury
from services.keys.erasures import hide_ids
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.log_reader import Published
from services.put_back.erased import Again, known_erasures
from services.put_back.facts import Facts
from services.put_back.tally import Tally
from services.put_back.wire import Lost, lost, pages
from services.record.append import Appender
from services.record.errors import Conflict, Refused
from services.record.reader import Row
from services.settings import Settings
from services.tenancy.store import Tenancy

_DECIDED: Final = "settings"
"""The topic of settings, which are decisions of aggregates as `cases` are; all others carry facts."""
_LEFT_OUT: Final = {
    "cases": "decided again by `conversations` from the interactions; what agents decided is to be done again",
    "outbound": "not put back: look at the provider's side for what was sent, before you answer these customers again",
}
_STRANGER: Final = "nothing of ours: something else writes to this topic"


async def put_back(settings: Settings) -> Tally:
    """Everything between the record's last life and this one that the wire has and the record lost.

    In the order of the lost numbers, under new ones. Every step may be repeated, also beside running processes. Adopt
    the record first.

    Raises:
        NotAdopted: the record is not where it was.
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
        psycopg.OperationalError: PostgreSQL is away; run it again.
    """
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        return await _put_back(settings, record, keys)


async def _put_back(settings: Settings, record: AsyncConnectionPool, keys: AsyncConnectionPool) -> Tally:
    vault, tally = Vault(settings.secrets()), Tally()
    wanted = await lost(record)
    erased = await known_erasures(settings, record, wanted)
    ids = {address_id for _, address_id in erased}
    await bury(keys, erased)
    # Before any fact: an address that was erased and came again has a key of its own, not the erased one.
    await hide_ids(keys, ids)
    facts = Facts(record, keys, vault, ids)
    await _all(settings, wanted, facts, tally)
    again = Again(settings, record, keys, Ring(keys, vault))
    await again.erase(ids, facts.addresses, tally)
    await again.tell(ids)
    return tally


async def _all(settings: Settings, wanted: Lost, facts: Facts, tally: Tally) -> None:
    appender = await Appender.open(settings.record_url)
    try:
        with Tenancy(settings) as tenancy:
            async for page in pages(settings, wanted, TOPICS):
                for topic, rows in groupby(_rows(page, tally), lambda row: row.topic):
                    if topic == _DECIDED:
                        await asyncio.to_thread(_settle, tenancy, list(rows), tally)
                    elif topic in _LEFT_OUT:
                        tally.topics[topic].left_out[_LEFT_OUT[topic]] += len(list(rows))
                    else:
                        await facts.put_back(appender, list(rows), tally)
    finally:
        await appender.close()


def _rows(page: Sequence[Published], tally: Tally) -> list[Row]:
    rows: list[Row] = []
    for entry in page:
        line = tally.topics[entry.topic]
        line.read += 1
        try:
            rows.append(from_headers(entry.topic, entry.record.headers, entry.record.value))
        except Undecodable:
            line.left_out[_STRANGER] += 1
    return rows


def _settle(tenancy: Tenancy, rows: Sequence[Row], tally: Tally) -> None:
    for row in rows:
        line = tally.topics[row.topic]
        try:
            fact = read_fact(row.payload)
            if tenancy.put_back(row.tenant, row.subject, row.event_id, cast("SettingFact", fact)):
                line.put_back += 1
                tally.settled.add(row.subject)
            else:
                line.already_there += 1
        except Undecodable:
            line.left_out["no setting that this version knows"] += 1
        except (Refused, Conflict) as refused:
            line.left_out[str(refused)] += 1
