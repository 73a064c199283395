"""compose.yaml without containers: its variables, commands and health checks, on ports and servers of this machine."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from services.embedded.kafka_config import Node
from services.embedded.kafka_node import RunningKafka, new_kafka_id
from services.embedded.process import free_port
from services.settings import Settings
from tests.brokers import launch_with
from tests.deploy import compose
from tests.house.tree import ROOT
from tests.servers import SECRET

_PROGRAMS: Final = Path(sys.executable).parent
_READY_SECONDS: Final = 60.0
_NO_SETTING: Final = {"KAFKA_HEAP_OPTS"}


class Stand:
    """Three brokers and our processes as the file describes them."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """`settings` has the database."""
        self._folder: Final = folder
        ports = {name: free_port() for name in ("8080", "2525", "8081", "8090")}
        self.http: Final = f"http://127.0.0.1:{ports['8080']}"
        self.smtp: Final = f"127.0.0.1:{ports['2525']}"
        self._cluster: Final = new_kafka_id()
        filled = {"TAMAS_PUBLIC_URL": self.http, "POSTGRES_PASSWORD": "x", "KAFKA_CLUSTER_ID": self._cluster}
        self.services: Final[dict[str, Any]] = compose.read(filled)["services"]
        self._nodes: Final = {f"kafka-{n}": Node(n, free_port(), free_port()) for n in (1, 2, 3)}
        self._places: Final = self._replacements(ports, settings)
        self._brokers: Final[list[RunningKafka]] = []
        self.processes: Final[dict[str, subprocess.Popen[bytes]]] = {}
        (folder / "secret.key").write_text(SECRET)
        given = self.environment("edge")
        self.settings: Final = settings.model_copy(
            update={
                "kafka_bootstrap_servers": given["KAFKA_BOOTSTRAP_SERVERS"],
                "topic_replication": int(given["TAMAS_TOPIC_REPLICATION"]),
                "topic_prefix": Settings.model_fields["topic_prefix"].default,
                "topic_partitions": Settings.model_fields["topic_partitions"].default,
            }
        )

    def _replacements(self, ports: Mapping[str, str | int], settings: Settings) -> dict[str, str]:
        found = {"postgresql://tamas:x@postgres:5432/tamas": settings.record_url}
        for name, node in self._nodes.items():
            found |= {f"{name}:9092": f"127.0.0.1:{node.port}", f"{name}:9093": f"127.0.0.1:{node.controller_port}"}
        for port, ours in ports.items():
            found |= dict.fromkeys((f"0.0.0.0:{port}", f"127.0.0.1:{port}", f"views:{port}"), f"127.0.0.1:{ours}")
        found |= {name: str(self._folder / name.strip("/")) for name in ("/data", "/blobs")}
        return found | {"/run/secrets/tamas_secret_key": str(self._folder / "secret.key")}

    def here(self, text: str) -> str:
        """With what is here in the place of what is in containers."""
        for place, ours in self._places.items():
            text = text.replace(place, ours)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """What a process of ours gets: the image's variables, then the service's."""
        image = dict(re.findall(r"\b(TAMAS_\w+)=(\S+)", (ROOT / "deploy" / "Dockerfile").read_text("utf-8")))
        given = {**image, **self.services[name]["environment"]}
        ours = {variable: self.here(str(value)) for variable, value in given.items()}
        return {"PATH": f"{_PROGRAMS}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1", **ours}

    def start_brokers(self) -> None:
        """From the main thread."""
        for name, node in self._nodes.items():
            place = self._folder / name
            self._brokers.append(launch_with(place, node, self._properties(name, place), self._cluster))
        with ThreadPoolExecutor(len(self._brokers)) as waiting:
            list(waiting.map(_wait_ready, self._brokers))

    def _properties(self, name: str, place: Path) -> str:
        """As the image makes them: KAFKA_NODE_ID is node.id. Source: apache/kafka, docker/README."""
        node = self._nodes[name]
        given = {**self.services[name]["environment"], "KAFKA_LOG_DIRS": str(place / "log")}
        given["KAFKA_LISTENERS"] = (
            given["KAFKA_LISTENERS"].replace(":9092", f":{node.port}").replace(":9093", f":{node.controller_port}")
        )
        told = {variable: self.here(str(value)) for variable, value in given.items() if variable not in _NO_SETTING}
        return "".join(
            f"{variable.removeprefix('KAFKA_').replace('_', '.').lower()}={value}\n"
            for variable, value in told.items()
            if variable.startswith("KAFKA_")
        )

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """A service that does something and ends."""
        command = ["tamas", *self.services[name]["command"]]
        return subprocess.run(
            command, env=self.environment(name), cwd=self._folder, capture_output=True, text=True, check=False
        )

    def start(self, name: str) -> None:
        """A service that stays; returns when it says that it is ready."""
        command = ["tamas", *self.services[name]["command"]]
        with (self._folder / f"{name}.log").open("wb") as log:
            running = subprocess.Popen(
                command, env=self.environment(name), cwd=self._folder, stdout=subprocess.PIPE, stderr=log
            )
        self.processes[name] = running
        assert running.stdout is not None
        readable, _, _ = select.select([running.stdout], [], [], _READY_SECONDS)
        assert readable, f"{name} was not ready"
        assert running.stdout.readline().startswith(b"ready"), (self._folder / f"{name}.log").read_text()

    def is_healthy(self, name: str) -> bool:
        """What Compose would see."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [self.here(word) for word in words]
        return subprocess.run(command, env=self.environment(name), capture_output=True, check=False).returncode == 0

    def stop(self) -> dict[str, int]:
        """SIGTERM to all of ours; exit codes of those that ended within their grace."""
        for one in self.processes.values():
            one.terminate()
        codes: dict[str, int] = {}
        for name, one in self.processes.items():
            codes[name] = one.wait(int(self.services[name]["stop_grace_period"].removesuffix("s")))
        return codes

    def end(self) -> None:
        for one in self.processes.values():
            one.kill()
            one.wait()
        for broker in self._brokers:
            broker.child.stop([(signal.SIGKILL, 5.0)])


def _wait_ready(broker: RunningKafka) -> None:
    broker.wait_ready(brokers=3)
