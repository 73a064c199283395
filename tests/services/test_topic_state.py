from dataclasses import dataclass, field

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services import topics
from services.produce import connection
from services.settings import Settings
from services.topic_state import TopicState, check, findings, look

THREE = Settings.model_validate({"topic_replication": 3, "topic_partitions": 12})
ONE = Settings.model_validate({"topic_partitions": 12})
GOOD = {
    "min.insync.replicas": "2",
    "retention.ms": "2592000000",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "max.message.bytes": "1048588",
    "unclean.leader.election.enable": "false",
}


@dataclass(frozen=True)
class Case:
    says: str
    partitions: int = 12
    copies: int = 3
    configs: dict[str, str] = field(default_factory=dict[str, str])
    must: bool = False


REFUSED = [
    Case("run `tamas topics create`", partitions=0, must=True),
    Case("TAMAS_TOPIC_PARTITIONS says 12: set it to 6", partitions=6, must=True),
    Case("TAMAS_TOPIC_REPLICATION says 3: reassign", copies=2, must=True),
    Case("set its cleanup.policy to delete", configs={"cleanup.policy": "compact,delete"}, must=True),
]
TOLD = [
    Case("set min.insync.replicas to 2", configs={"min.insync.replicas": "1"}),
    Case("one broker away stops the relay: set min.insync.replicas to 2", configs={"min.insync.replicas": "3"}),
    Case("keeps 7 days", configs={"retention.ms": "604800000"}),
    Case("longer than 30 days", configs={"retention.ms": "-1"}),
    Case("longer than 30 days", configs={"cleanup.policy": ""}),
    Case("set retention.bytes to -1", configs={"retention.bytes": "1000000"}),
    Case("set max.message.bytes to 1048588", configs={"max.message.bytes": "100000"}),
    Case("set unclean.leader.election.enable to false", configs={"unclean.leader.election.enable": "true"}),
]


@pytest.mark.parametrize("case", [*REFUSED, *TOLD], ids=lambda case: case.says)
def test_each_difference_is_one_sentence(case: Case) -> None:
    state = TopicState("tamas.cases", case.partitions, case.copies, {**GOOD, **case.configs})
    (finding,) = findings(THREE, [state])
    assert case.says in finding.says
    assert "tamas.cases" in finding.says
    assert finding.must == case.must


def test_as_it_should_be_nothing_is_said() -> None:
    assert findings(THREE, [TopicState("t", 12, 3, GOOD)]) == []
    assert findings(ONE, [TopicState("t", 12, 1, {**GOOD, "min.insync.replicas": "1"})]) == []


def test_settings_that_may_not_be_read_are_told_and_do_not_stop_it() -> None:
    (finding,) = findings(THREE, [TopicState("t", 12, 3)])
    assert "allow DescribeConfigs" in finding.says
    assert not finding.must


async def test_what_we_make_is_what_we_want(wired: Settings) -> None:
    await topics.create(wired)
    states = await look(wired)
    assert [state.name for state in states] == topics.names(wired)
    assert findings(wired, states) == []


async def test_changing_one_setting_by_the_old_request_puts_the_others_back(wired: Settings) -> None:
    """Kafka's AlterConfigs resets every setting that it is not sent (operators use IncrementalAlterConfigs)."""
    await topics.create(wired)
    name = topics.name_of(wired, "cases")
    admin = AIOKafkaAdminClient(**connection(wired))
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "600000"})])
    finally:
        await admin.close()
    while await check(wired) != 600_000:
        pass
    (finding,) = findings(wired, await look(wired))
    assert f"{name} keeps 7 days" in finding.says
