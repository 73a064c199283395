"""What is on file for an address: the last word on each thing, folded from the facts of the record."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from schemas.customer import ConsentStated, PreferenceFiled, PreferenceStated, QuietHours
from schemas.event import Event
from schemas.interaction import FactWithdrawn
from services.record.reader import Reader, event_of

ANY_CHANNEL: Final = "any"
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
_MOST: Final = 1000
_POSITIONS: Final = """
    SELECT position FROM record.facts
    WHERE tenant = %s AND subject = %s AND (topic = 'customers' OR type = 'fact.withdrawn')
    ORDER BY position DESC LIMIT %s"""


@dataclass(frozen=True, slots=True)
class ConsentOnFile:
    """What was allowed or forbidden last. `channel` is a kind (`sms`), one of a kind (`chat/telegram`), or `any`."""

    channel: str
    purpose: str
    granted: bool
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class OnFile:
    """The last word on each thing. `source` `contact`: the customer said it themselves when they wrote to us."""

    channels: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    language: str | None = None
    time_zone: str | None = None
    source: str | None = None
    stated_at: datetime | None = None
    position: int = 0
    consents: tuple[ConsentOnFile, ...] = ()


async def on_file(pool: AsyncConnectionPool, reader: Reader, tenant: str, address_id: UUID) -> OnFile:
    """Of one address, from the record; nothing once it is erased. `pool` and `reader` are to the same record.

    Raises:
        psycopg.OperationalError: PostgreSQL is away.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(_POSITIONS, (tenant, address_id, _MOST))
        positions = [row[0] for row in await cursor.fetchall()]
    # What an erased person liked is gone with their key, also its clear part.
    rows = [row for row in await reader.rows_at(positions) if not row.erased]
    return folded(event_of(row) for row in rows)


def standing(events: Iterable[Event]) -> list[Event]:
    """Those that count, in their order: each in its newest reading, without what was withdrawn."""
    known = list(events)
    gone = {
        (event.fact.withdrawn_event_id, event.fact.withdrawn_revision)
        for event in known
        if isinstance(event.fact, FactWithdrawn)
    }
    newest: dict[UUID, Event] = {}
    for event in sorted(known, key=lambda one: (one.revision, one.position)):
        newest[event.event_id] = event
    stand = (event for event in newest.values() if (event.event_id, event.revision) not in gone)
    return sorted(stand, key=_order)


def folded(events: Iterable[Event]) -> OnFile:
    """The last word on each thing, whatever order the events come in; a withdrawn or replaced reading says nothing."""
    found, consents = OnFile(), dict[tuple[str, str], ConsentOnFile]()
    for event in standing(events):
        found = _after(found, event)
        if isinstance(event.fact, ConsentStated):
            consent = consent_of(event.fact, _effective_at(event))
            consents[consent.channel, consent.purpose] = consent
        found = replace(found, position=max(found.position, event.position))
    return replace(found, consents=tuple(consents.values()))


def consent_of(fact: ConsentStated, stated_at: datetime) -> ConsentOnFile:
    """What was said in a form is about the address, whatever reaches it; STOP by SMS is about all SMS."""
    kind, _, provider = fact.channel.partition("/")
    channel = ANY_CHANNEL if kind == "forms" else kind if provider and kind != "chat" else fact.channel
    return ConsentOnFile(channel, fact.purpose, fact.granted, stated_at)


def _after(found: OnFile, event: Event) -> OnFile:
    at = _effective_at(event)
    match event.fact:
        case PreferenceStated(channels=channels):
            return replace(found, channels=channels, source="contact", stated_at=at)
        case PreferenceFiled(channels=channels, source=source, personal=kept):
            about = (None, None, None) if kept is None else (kept.quiet_hours, kept.language, kept.time_zone)
            return OnFile(channels, *about, source, at, found.position)
        case _:
            return found


def _effective_at(event: Event) -> datetime:
    return min(event.occurred_at, event.recorded_at + _CLOCKS_DIFFER_BY)


def _order(event: Event) -> tuple[datetime, int]:
    return _effective_at(event), event.position
