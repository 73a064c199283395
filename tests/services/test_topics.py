from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services import topic_state, topics
from services.produce import connection
from services.settings import Settings
from services.topics import partition_of

DAY_MS = 24 * 3600 * 1000

# From Apache Kafka, clients: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
JAVA = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]


@pytest.mark.parametrize(("key", "hashed"), JAVA)
@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_java_and_we_choose_the_same_partition(key: bytes, hashed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


async def test_a_topic_is_made_to_lose_what_is_old_soon(wired: Settings) -> None:
    await topics.create(wired)
    assert await topic_state.kept(wired) == topic_state.kept_as_made() == timedelta(days=31, minutes=10)
    made = {(at.topic, at.partition) for at in await topics.partitions(wired)}
    assert made == {(name, n) for name in topics.names(wired) for n in range(wired.topic_partitions)}
    assert {at.topic for at in await topics.partitions(wired, ["settings"])} == {topics.name_of(wired, "settings")}


@pytest.mark.parametrize(
    ("retention", "segment", "kept"),
    [
        (40 * DAY_MS, 7 * DAY_MS, timedelta(days=47, minutes=10)),
        (-1, DAY_MS, timedelta.max),
        (2**63 - 1, 2**63 - 1, timedelta.max),
    ],
)
async def test_the_topic_that_keeps_longest_counts(
    wired: Settings, retention: int, segment: int, kept: timedelta
) -> None:
    name = topics.name_of(wired, "customers")
    admin = AIOKafkaAdminClient(**connection(wired))
    await admin.start()
    configs = {"retention.ms": str(retention), "segment.ms": str(segment)}
    await admin.create_topics([NewTopic(name, wired.topic_partitions, 1, topic_configs=configs)])
    await admin.close()
    await topics.create(wired)
    assert await topic_state.kept(wired) == kept


async def test_without_topics_nobody_can_tell(wired: Settings) -> None:
    with pytest.raises(topics.TopicsMissing, match="does not tell"):
        await topic_state.kept(wired)
    assert await topics.partitions(wired) == []
