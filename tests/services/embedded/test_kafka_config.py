from pathlib import Path

import pytest

from services.embedded.kafka_config import Node, meta_properties, server_properties

ONE = Node(1, 9092, 9093)
THREE = (ONE, Node(2, 9094, 9095), Node(3, 9096, 9097))


def _read(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_one_node_keeps_one_copy_and_is_its_own_voter() -> None:
    settings = _read(server_properties(ONE, (ONE,), Path("/data/log")))
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9093"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert settings["log.dirs"] == "/data/log"
    assert {settings[name] for name in settings if name.endswith("replication.factor")} == {"1"}
    assert settings["min.insync.replicas"] == settings["transaction.state.log.min.isr"] == "1"


def test_three_nodes_keep_three_copies_of_which_two_must_be_written() -> None:
    settings = _read(server_properties(THREE[1], THREE, Path("/data/log")))
    assert settings["node.id"] == "2"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9093,2@127.0.0.1:9095,3@127.0.0.1:9097"
    assert {settings[name] for name in settings if name.endswith("replication.factor")} == {"3"}
    assert settings["min.insync.replicas"] == settings["share.coordinator.state.topic.min.isr"] == "2"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("auto.create.topics.enable", "false"),
        ("controlled.shutdown.enable", "true"),
        ("broker.session.timeout.ms", "3000"),
        ("broker.heartbeat.interval.ms", "500"),
        ("offsets.topic.num.partitions", "4"),
        ("group.initial.rebalance.delay.ms", "0"),
    ],
)
def test_settings_that_keep_restarts_quick_and_small(setting: str, value: str) -> None:
    assert _read(server_properties(ONE, (ONE,), Path("/data/log")))[setting] == value


def test_a_path_is_written_as_java_reads_it() -> None:
    settings = _read(server_properties(ONE, (ONE,), Path("/داده/a\\b 📞")))
    assert settings["log.dirs"] == r"/\u062f\u0627\u062f\u0647/a\\b \ud83d\udcde"


def test_the_mark_of_a_formatted_directory() -> None:
    assert (
        meta_properties("CLUSTER", 2, "DIRECTORY")
        == "version=1\ncluster.id=CLUSTER\nnode.id=2\ndirectory.id=DIRECTORY\n"
    )
