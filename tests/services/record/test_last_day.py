from datetime import UTC, date, datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services import topics
from services.produce import connection
from services.record.last_day import last_on_kafka
from services.settings import Settings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATE = datetime(2026, 11, 25, 23, 55, tzinfo=UTC)


async def _made(settings: Settings, configs: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    name = topics.name_of(settings, "interactions")
    await admin.create_topics([NewTopic(name, settings.topic_partitions, 1, topic_configs=configs)])
    await admin.close()
    await topics.create(settings)


async def test_the_broker_tells(wired: Settings) -> None:
    await topics.create(wired)
    told = await last_on_kafka(wired, NOW)
    assert (told.day, "as the broker has them" in told.by) == (date(2026, 12, 26), True)
    assert (await last_on_kafka(wired, LATE)).day == date(2026, 12, 27)


@pytest.mark.parametrize(
    ("configs", "day", "by"),
    [
        ({"segment.ms": "604800000", "retention.ms": "2592000000"}, date(2027, 1, 1), "as the broker has them"),
        ({"retention.ms": "-1"}, None, "give it a retention.ms"),
        ({"retention.ms": "4000000000000000"}, None, "give it a retention.ms"),
    ],
)
async def test_topics_that_were_made_otherwise_count_as_they_are(
    wired: Settings, configs: dict[str, str], day: date | None, by: str
) -> None:
    await _made(wired, configs)
    told = await last_on_kafka(wired, NOW)
    assert (told.day, by in told.by) == (day, True)


async def test_a_broker_that_is_away_or_unknown_is_said_to_be(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    for asked, said in ((away, "does not tell (KafkaConnectionError)"), (settings, "no broker is known")):
        told = await last_on_kafka(asked, NOW)
        assert (told.day, said in told.by, "as Tamas makes them" in told.by) == (date(2026, 12, 26), True, True)
