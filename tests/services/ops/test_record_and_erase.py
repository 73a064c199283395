import asyncio

import psycopg

from schemas.setting import TenantRegistered
from services.ops.exits import AWAY, CONFIGURATION, NO, USAGE
from services.record.decisions import Decided, Decisions
from services.settings import Settings
from services.tenancy.tenant import tenant_stream
from tests.services.ops.cli import Tamas
from tests.services.relay.wire import relaying, until


def _tenant(settings: Settings, slug: str = "acme") -> None:
    fact = TenantRegistered(
        tenant=slug, name="n", region="IR", time_zone="Asia/Tehran", language="fa", calendar="persian"
    )
    decisions = Decisions(settings.record_url)
    decisions.save([Decided(tenant_stream(slug), 1, slug, fact)])
    decisions.close()


def test_check_says_what_it_found_and_adopt_mends_it(settings: Settings) -> None:
    tamas = Tamas(settings)
    assert tamas("record", "check").code == 0
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        connection.execute("UPDATE record.identity SET timeline = 9")
    found = tamas("record", "check", "--all", "--json")
    assert found.code == NO
    assert [row["check"] for row in found.rows() if not row["ok"]] == ["place"]
    assert tamas("record", "adopt", "--json").row()["first_position"] == 1 << 40
    assert tamas("record", "check").code == 0
    again = tamas("record", "adopt")
    assert (again.code, again.out) == (0, "")
    assert tamas("record", "adopt", "--anyway", "--above", str(5 << 40), "--json").row()["first_position"] == 6 << 40


def test_what_is_put_back_is_told_and_nothing_is_adopted_without_a_broker(wired: Settings) -> None:
    _tenant(wired)
    asyncio.run(_published(wired))
    _run(wired, "DELETE FROM record.decisions")
    _run(wired, "UPDATE record.identity SET timeline = 9")
    away = Tamas(wired, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")("record", "adopt", "--from-kafka")
    assert (away.code, away.out, "Kafka is not reached" in away.err) == (AWAY, "", True)
    none = Tamas(wired, TAMAS_DATA="/nonexistent")("record", "adopt", "--from-kafka")
    assert (none.code, "No broker is known" in none.err) == (CONFIGURATION, True)
    tamas = _with_broker(wired)
    assert tamas("record", "check").code == NO
    adopted, told = tamas("record", "adopt", "--from-kafka", "--json").rows()
    assert adopted["first_position"] == 1 << 40
    assert told == {"topic": "settings", "read": 1, "already_there": 0, "put_back": 1, "left_out": 0, "why": ""}
    again = tamas("record", "adopt", "--from-kafka")
    assert [line.split() for line in again.out.splitlines()] == [
        ["topic", "read", "already", "there", "put", "back", "left", "out", "why"],
        ["settings", "1", "1", "0", "0"],
    ]
    assert tamas("record", "check").code == 0


def test_a_disk_that_was_put_back_shows_by_what_was_published(wired: Settings) -> None:
    tamas = _with_broker(wired)
    assert "hold nothing" in tamas("record", "adopt", "--from-kafka").out
    _tenant(wired)
    _tenant(wired, "other")
    asyncio.run(_published(wired))
    _run(wired, "DELETE FROM record.decisions WHERE position > 1")
    _run(wired, "DELETE FROM service.relay_partitions")
    _run(wired, "SELECT setval('record.position', 1)")
    refused = tamas("record", "adopt", "--from-kafka")
    assert (refused.code, "--anyway" in refused.err) == (NO, True)
    assert tamas("record", "adopt", "--from-kafka", "--anyway", "--json").rows()[1]["put_back"] == 1


def test_an_older_copy_that_is_adopted_again_begins_above_what_was_published(wired: Settings) -> None:
    tamas = _with_broker(wired)
    assert tamas("record", "adopt", "--anyway").code == 0
    _tenant(wired)
    asyncio.run(_published(wired))
    _run(wired, "DELETE FROM record.decisions")
    _run(wired, "DELETE FROM service.relay_partitions")
    _run(wired, "UPDATE record.identity SET first_position = 1, timeline = 9")
    _run(wired, "SELECT setval('record.position', 1)")
    assert tamas("record", "adopt", "--json").row()["first_position"] == 2 << 40


def _with_broker(settings: Settings) -> Tamas:
    return Tamas(
        settings,
        KAFKA_BOOTSTRAP_SERVERS=settings.kafka_bootstrap_servers,
        TAMAS_TOPIC_PREFIX=settings.topic_prefix,
        TAMAS_TOPIC_PARTITIONS=str(settings.topic_partitions),
    )


async def _published(settings: Settings) -> None:
    async with relaying(settings) as relay:
        await until(lambda: 0 < relay.status().head == relay.status().position)


def _run(settings: Settings, query: str) -> None:
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        connection.execute(query.encode())


def test_commands_that_need_a_database_say_so() -> None:
    for words in (("record", "check"), ("record", "adopt"), ("erase", "tel:+989121234567")):
        assert Tamas(None, TAMAS_DATA="/nonexistent")(*words).code == CONFIGURATION


def test_an_address_is_read_as_people_write_it(settings: Settings) -> None:
    _tenant(settings)
    tamas = Tamas(settings)
    unknown = tamas("erase", "0912 123 4567")
    assert (unknown.code, unknown.err.strip()) == (NO, "Nothing is kept under this address.")
    assert tamas("erase", "nobody at all").code == USAGE
