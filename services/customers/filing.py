"""Puts preferences and consent on file: facts of the record, sealed under the address's key, noted with the command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import available_timezones

from schemas.customer import ConsentStated, Habits, PreferenceFiled, QuietHours, Stated
from schemas.topics import TOPIC_OF
from services.keys.ring import Ring, Subject
from services.keys.vault import event_context, seal
from services.record.append import Appender, FactRow
from services.record.errors import Refused
from services.record.raw import new_raw_id

Source = Literal["agent", "api", "command"]


@dataclass(frozen=True, slots=True)
class Consent:
    """To allow or forbid. `channel` as in a preference, `any` for whatever reaches the address."""

    channel: str
    purpose: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Filed:
    """What shall be on file from now on, in place of the preferences before; a consent replaces only its own like."""

    channels: tuple[str, ...]
    quiet_hours: QuietHours | None = None
    language: str | None = None
    time_zone: str | None = None
    consents: tuple[Consent, ...] = ()


async def file(
    url: str, ring: Ring, tenant: str, address: str, filed: Filed, *, source: Source, command_id: UUID
) -> int | None:
    """Record it; returns its position, None when this command was carried out before.

    `url` is RECORD_URL. A command is carried out once, whoever repeats it.

    Raises:
        Refused: a time zone that there is none of, quiet hours that never end.
        psycopg.OperationalError: PostgreSQL is away; try again with the same command.
    """
    _check(filed)
    subject = (await ring.subjects([(tenant, address)]))[tenant, address]
    facts, at = _facts(address, filed, source), datetime.now(UTC)
    rows = [
        _row(tenant, fact, uuid5(command_id, f"{fact.type}/{place}"), subject, at) for place, fact in enumerate(facts)
    ]
    appender = await Appender.open(url)
    try:
        new = await appender.new_of([(row.event_id, row.revision, row.tenant, new_raw_id()) for row in rows])
        if not new:
            await appender.rollback()
            return None
        return await appender.commit(rows, command=(tenant, command_id))
    finally:
        await appender.close()


def _check(filed: Filed) -> None:
    if filed.time_zone is not None and filed.time_zone not in available_timezones():
        raise Refused(f"{filed.time_zone!r} is no time zone: a name such as Asia/Tehran.")
    if filed.quiet_hours is not None and filed.quiet_hours.begins == filed.quiet_hours.ends:
        raise Refused("Quiet hours that end when they begin would never end.")


def _facts(address: str, filed: Filed, source: Source) -> Sequence[PreferenceFiled | ConsentStated]:
    kept = Habits(address=address, quiet_hours=filed.quiet_hours, language=filed.language, time_zone=filed.time_zone)
    consents = [
        ConsentStated(
            channel=consent.channel, purpose=consent.purpose, granted=consent.granted, personal=Stated(address=address)
        )
        for consent in filed.consents
    ]
    return [*consents, PreferenceFiled(channels=filed.channels, source=source, personal=kept)]


def _row(tenant: str, fact: PreferenceFiled | ConsentStated, event_id: UUID, subject: Subject, at: datetime) -> FactRow:
    personal = fact.personal_json()
    assert personal is not None  # noqa: S101 - made above
    return FactRow(
        event_id=event_id,
        tenant=tenant,
        topic=TOPIC_OF[fact.type],
        type=fact.type,
        version=fact.version,
        subject=subject.address_id,
        inbox_id=None,
        raw_id=None,
        occurred_at=at,
        data=fact.clear_json(),
        personal=seal(subject.cipher, personal, event_context(event_id.bytes, 1)),
    )
