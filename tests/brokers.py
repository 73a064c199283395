"""Three brokers that are one cluster: three copies of each record, two of which must be written.

And a broker with settings that the embedded one never has.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import psutil
import pytest

from services.embedded import kafka
from services.embedded.cache import silent
from services.embedded.class_archive import prepared
from services.embedded.data_dir import claim
from services.embedded.jars import ensure_jars
from services.embedded.java import find_java
from services.embedded.kafka_config import LOG4J, Node
from services.embedded.kafka_node import RunningKafka, format_log, new_kafka_id
from services.embedded.process import free_port, spawn
from services.settings import Settings

COPIES: Final = 3


class Brokers:
    """Combined nodes whose processes a test may kill. From the main thread only."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._nodes: Final = [Node(n, free_port(), free_port()) for n in range(1, COPIES + 1)]
        self._cluster: Final = new_kafka_id()
        self._running: Final[dict[int, RunningKafka]] = {}
        try:
            for node in self._nodes:
                self._launch(node)
            with ThreadPoolExecutor(COPIES) as waiting:
                list(waiting.map(self.wait_back, self.ids))
        except BaseException:
            self.stop()
            raise

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{node.port}" for node in self._nodes)

    @property
    def ids(self) -> list[int]:
        return [node.node_id for node in self._nodes]

    def kill(self, node_id: int) -> None:
        os.kill(self._running[node_id].pid, signal.SIGKILL)

    def freeze(self, node_id: int) -> Callable[[], None]:
        """SIGSTOP; gives what lets it go on."""
        process = psutil.Process(self._running[node_id].pid)
        process.suspend()
        return process.resume

    def start_again(self, node_id: int) -> None:
        """Returns at once: see `is_back`."""
        self._running[node_id].stop()
        self._launch(self._nodes[node_id - 1])

    def wait_back(self, node_id: int) -> None:
        self._running[node_id].wait_ready(brokers=COPIES)

    def stop(self) -> None:
        for one in self._running.values():
            one.child.stop([(signal.SIGKILL, 5.0)])

    def _launch(self, node: Node) -> None:
        place = self._folder / str(node.node_id)
        self._running[node.node_id] = kafka.launch(place, node, self._nodes, cluster=self._cluster)


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    made = Brokers(tmp_path_factory.mktemp("brokers"))
    yield made
    made.stop()


@pytest.fixture
def wired_to_three(settings: Settings, brokers: Brokers) -> Settings:
    """An installation on them, with its own topics."""
    return settings.model_copy(update={"kafka_bootstrap_servers": brokers.bootstrap, "topic_replication": COPIES})


def launch_with(data_dir: Path, node: Node, properties: str, cluster: str) -> RunningKafka:
    """A node with these `server.properties`; `wait_ready` wants a PLAINTEXT listener on its port."""
    program, template = prepared(find_java(), tuple(ensure_jars()), silent)
    claimed = claim(data_dir)
    format_log(data_dir, template, cluster=cluster, node_id=node.node_id)
    settings, log4j = data_dir / "server.properties", data_dir / "log4j2.properties"
    settings.write_text(properties, "ascii")
    log4j.write_text(LOG4J, "ascii")
    command = program.command("kafka.Kafka", settings, defines=(f"-Dlog4j2.configurationFile={log4j.as_uri()}",))
    return RunningKafka(node, cluster, spawn("Kafka", command, claimed, death_signal=signal.SIGTERM))
