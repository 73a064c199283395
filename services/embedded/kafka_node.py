"""One Kafka process: its command line, its files, its life."""

import base64
import os
import shutil
import signal
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.embedded.data_dir import Claim
from services.embedded.errors import EmbeddedError
from services.embedded.java import Java
from services.embedded.kafka_config import LOG4J, LOOPBACK, Node, meta_properties, server_properties
from services.embedded.kafka_ready import ask_cluster
from services.embedded.process import Child, spawn

_STOP_STEPS: Final = ((signal.SIGTERM, 15.0),)
# One small heap, the simplest collector, the quick compiler only: 150 MB, and enough for a million records.
_JVM_FLAGS: Final = (
    *("-Xmx256m", "-Xms32m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    *("-XX:ReservedCodeCacheSize=48m", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true"),
)


@dataclass(frozen=True, slots=True)
class Program:
    """Java, Kafka's jars, and flags about the class archive, if there is one."""

    java: Java
    jars: tuple[Path, ...]
    archive_flags: tuple[str, ...] = ()

    def command(self, main_class: str, *args: str | Path, defines: Sequence[str] = ()) -> list[str | Path]:
        """The command line that runs one of Kafka's main classes."""
        classpath = ":".join(map(str, self.jars))
        flags = (*_JVM_FLAGS, *self.java.flags, *self.archive_flags, *defines)
        return [self.java.executable, *flags, "-cp", classpath, main_class, *args]


@dataclass(frozen=True, slots=True)
class RunningKafka:
    """A started node; `start` in kafka.py hands it out when it is ready."""

    node: Node
    cluster: str
    child: Child

    @property
    def bootstrap(self) -> str:
        """Host and port for clients."""
        return f"{LOOPBACK}:{self.node.port}"

    @property
    def pid(self) -> int:
        """Process id of the Java process."""
        return self.child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.child.exit_code

    def wait_ready(self, *, brokers: int = 1, timeout_seconds: float = 60.0) -> None:
        """Return when this node has a controller and knows of so many brokers. Raises StartFailed."""
        self.child.wait_until(lambda: self._is_ready(brokers), timeout_seconds)

    def _is_ready(self, brokers: int) -> bool:
        # Cluster and port are compared because a stranger's Kafka may answer where ours could not listen.
        told = ask_cluster(self.node.port)
        if told is None or told.cluster != self.cluster or told.controller < 0:
            return False
        return len(told.ports) >= brokers and told.ports.get(self.node.node_id) == self.node.port

    def stop(self) -> None:
        """Controlled shutdown, harder if it does not follow; may be repeated."""
        self.child.stop(_STOP_STEPS)


def launch_node(program: Program, claimed: Claim, node: Node, nodes: Sequence[Node], cluster: str) -> RunningKafka:
    """Write the node's settings and start it on its formatted directory, without waiting. From the main thread only."""
    data_dir = claimed.data_dir
    settings, log4j = data_dir / "server.properties", data_dir / "log4j2.properties"
    settings.write_text(server_properties(node, nodes, data_dir / "log"), encoding="ascii")
    log4j.write_text(LOG4J, encoding="ascii")
    command = program.command("kafka.Kafka", settings, defines=(f"-Dlog4j2.configurationFile={log4j.as_uri()}",))
    # Java decodes its arguments by locale; a path in Persian needs one that can.
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    return RunningKafka(node, cluster, spawn("Kafka", command, claimed, death_signal=signal.SIGTERM, env=env))


def format_log(data_dir: Path, template: Path, *, cluster: str, node_id: int) -> str:
    """Make `data_dir/log` ready for its first start from a template that Kafka's own tool formatted.

    Returns the cluster's id: `cluster` on the first start, the one it was formatted with on later ones.

    Raises EmbeddedError for a path that Kafka would take for two.
    """
    if "," in str(data_dir):
        raise EmbeddedError(f"Kafka takes a comma in a path for the start of another one; rename {data_dir}")
    log = data_dir / "log"
    mark = log / "meta.properties"
    if mark.exists():
        return _formatted_cluster(mark)
    log.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, log / template.name)
    draft = log / "meta.properties.new"
    draft.write_text(meta_properties(cluster, node_id, new_kafka_id()), encoding="ascii")
    # The mark comes last: without it the directory counts as not formatted.
    draft.replace(mark)
    return cluster


def _formatted_cluster(mark: Path) -> str:
    lines = mark.read_text(encoding="ascii").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("cluster.id="))


def new_kafka_id() -> str:
    """A random uuid as Kafka writes them: 22 characters of url-safe base64, never with a dash in front."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")).startswith("-"):
        pass
    return text
