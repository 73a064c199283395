"""What a node of the embedded Kafka is told; pure, so that one node and three are described by the same function."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_MOST_COPIES: Final = 3

LOG4J: Final = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""

# Small, quick to start, quick to return after a kill. The defaults are made for machines that do nothing else:
# 50 partitions of offsets, 10 MB of index for each, 128 MB for the cleaner, 9 s until a killed broker may come back.
_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "3",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.segment.bytes": "16777216",
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.threads": "1",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "controlled.shutdown.enable": "true",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "metadata.max.idle.interval.ms": "5000",
}
_COPIES: Final = (
    "default.replication.factor",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.replication.factor",
)
_COPIES_IN_SYNC: Final = (
    "min.insync.replicas",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.min.isr",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A combined broker and controller on loopback; its id must stay for its data's life, its ports may change."""

    node_id: int
    port: int
    controller_port: int


def server_properties(node: Node, nodes: Sequence[Node], log_dir: Path) -> str:
    """The `server.properties` of `node` in a cluster of `nodes` (itself included), source: Kafka 4.3, Broker Configs.

    With three nodes or more, records have three copies and two must be written before they count.
    """
    copies = min(_MOST_COPIES, len(nodes))
    settings = {
        "node.id": str(node.node_id),
        "controller.quorum.voters": ",".join(f"{n.node_id}@{LOOPBACK}:{n.controller_port}" for n in nodes),
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.port}",
        "log.dirs": str(log_dir),
        **_SETTINGS,
        **dict.fromkeys(_COPIES, str(copies)),
        **dict.fromkeys(_COPIES_IN_SYNC, str(max(1, copies - 1))),
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def meta_properties(cluster: str, node_id: int, directory: str) -> str:
    """The file that marks a log directory as formatted (version 1, KIP-858); both ids are Kafka's base64 uuids."""
    return f"version=1\ncluster.id={cluster}\nnode.id={node_id}\ndirectory.id={directory}\n"


def _escaped(value: str) -> str:
    # java.util.Properties reads Latin-1, so a path in Persian needs its UTF-16 units spelled out.
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    pairs = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(unit) if 0x20 <= unit < 0x7F else f"\\u{unit:04x}" for unit in pairs)  # noqa: PLR2004 - ASCII
