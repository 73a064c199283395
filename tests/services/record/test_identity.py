import asyncio

import psycopg
import pytest

from services.migrate import migrate
from services.record import identity
from services.record.append import Appender
from services.record.identity import EPOCH_POSITIONS, NotAdopted
from services.settings import Settings


def _one(settings: Settings, query: str, *values: object) -> tuple[object, ...]:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), values)
        return (cursor.fetchone() or ()) if cursor.description else ()


def _move_away(settings: Settings) -> None:
    _one(settings, "UPDATE record.identity SET system_identifier = '42'")


def test_a_new_record_is_at_home_and_a_second_migration_leaves_it_so(settings: Settings) -> None:
    identity.check(settings.record_url)
    _move_away(settings)
    migrate(settings)
    with pytest.raises(NotAdopted, match="tamas record adopt"):
        identity.check(settings.record_url)


@pytest.mark.parametrize("change", ["system_identifier = '42'", "timeline = 99"])
def test_another_server_or_timeline_is_refused_until_adopted(settings: Settings, change: str) -> None:
    _one(settings, f"UPDATE record.identity SET {change}")
    with pytest.raises(NotAdopted, match="restored or failed over"):
        identity.check(settings.record_url)
    adopted = identity.adopt(settings.record_url)
    assert adopted is not None
    assert adopted.first_position == EPOCH_POSITIONS
    identity.check(settings.record_url)
    assert identity.adopt(settings.record_url) is None


def test_the_numbers_after_it_were_never_given_out_and_have_a_place(settings: Settings) -> None:
    _move_away(settings)
    adopted = identity.adopt(settings.record_url, above=3 * EPOCH_POSITIONS + 5)
    assert adopted is not None
    assert adopted.first_position == 4 * EPOCH_POSITIONS
    assert _one(settings, "SELECT nextval('record.position')") == (4 * EPOCH_POSITIONS,)
    assert _one(settings, "SELECT to_regclass(%s) IS NOT NULL", f"record.facts_{4 * EPOCH_POSITIONS >> 24}") == (True,)
    again = identity.adopt(settings.record_url, anyway=True)
    assert again is not None
    assert again.first_position == 5 * EPOCH_POSITIONS


def test_the_clock_goes_on_from_the_latest_that_was_recorded(settings: Settings) -> None:
    _one(settings, "SELECT setval('record.clock', (extract(epoch FROM now() + interval '1 day') * 1000000)::bigint)")
    _one(
        settings,
        "INSERT INTO record.facts (position, recorded_at, event_id, revision, tenant, topic, type, version, subject, "
        "occurred_at, data) SELECT nextval('record.position'), record.tick(), gen_random_uuid(), 1, 'acme', "
        "'interactions', 't', 1, gen_random_uuid(), now(), '{}'",
    )
    _one(settings, "SELECT setval('record.clock', 1)")
    _move_away(settings)
    identity.adopt(settings.record_url)
    assert _one(settings, "SELECT record.tick() > max(recorded_at) FROM record.facts") == (True,)


async def test_writers_and_running_processes_notice_too(settings: Settings) -> None:
    watching = asyncio.create_task(identity.watch(settings.record_url, asyncio.Event()))
    await (await Appender.open(settings.record_url)).close()
    await asyncio.sleep(0.1)
    assert not watching.done()
    _move_away(settings)
    with pytest.raises(psycopg.OperationalError, match="adopt"):
        await Appender.open(settings.record_url)
    with pytest.raises(NotAdopted):
        await asyncio.wait_for(watching, 5)


async def test_a_process_may_start_while_postgresql_is_away() -> None:
    await identity.check_if_reached("postgresql://postgres@127.0.0.1:1/tamas")
