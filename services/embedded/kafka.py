"""Apache Kafka on this machine: one node in KRaft mode for demo, tests and small installations.

Nothing smaller was durable. Its records survive kill -9; a restart on the same data continues where it was.
"""

from collections.abc import Sequence
from pathlib import Path

from services.embedded.cache import Progress, silent
from services.embedded.class_archive import prepared
from services.embedded.data_dir import claim
from services.embedded.jars import ensure_jars
from services.embedded.java import find_java
from services.embedded.kafka_config import Node
from services.embedded.kafka_node import RunningKafka, format_log, launch_node, new_kafka_id
from services.embedded.process import free_port, on_free_port


def start(data_dir: Path, *, port: int = 0, controller_port: int = 0, progress: Progress = silent) -> RunningKafka:
    """Start one node on `data_dir` and return when it answers with a controller; port 0 = any free one.

    The first start on a machine fetches 46 jars (45 MB) and makes a class archive; `progress` hears of it.
    Raises StartFailed (with the end of the log), DataDirInUse, JavaMissing, ChecksumMismatch, JarsUnavailable.
    Call it from the main thread. A node that ended by itself wants its `stop()` before the next start.
    """

    def start_once() -> RunningKafka:
        node = Node(1, port or free_port(), controller_port or free_port())
        running = launch(data_dir, node, (node,), progress=progress)
        try:
            running.wait_ready()
        except BaseException:
            running.stop()
            raise
        return running

    return on_free_port(start_once, is_fixed=bool(port and controller_port))


def launch(
    data_dir: Path, node: Node, nodes: Sequence[Node], *, cluster: str | None = None, progress: Progress = silent
) -> RunningKafka:
    """Start one node of a cluster without waiting for it; then `wait_ready(brokers=len(nodes))` on each.

    All nodes of a cluster need the same `cluster` id (see `new_kafka_id`) on their first start. Raises as `start` does.
    """
    java = find_java()
    program, template = prepared(java, tuple(ensure_jars(progress=progress)), progress)
    claimed = claim(data_dir.absolute())
    try:
        used = format_log(claimed.data_dir, template, cluster=cluster or new_kafka_id(), node_id=node.node_id)
        return launch_node(program, claimed, node, nodes, used)
    except BaseException:
        claimed.release()
        raise
