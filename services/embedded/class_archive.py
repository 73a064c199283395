"""Made once per Java and Kafka version, brings a start from 2 s to 1 s: class archive and formatted template."""

import hashlib
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

from services.embedded.cache import Progress, cache_dir, only_one, scratch_in
from services.embedded.data_dir import claim
from services.embedded.errors import StartFailed
from services.embedded.jars import KAFKA_VERSION
from services.embedded.java import Java
from services.embedded.kafka_config import LOG4J, Node, server_properties
from services.embedded.kafka_node import Program, format_log, launch_node, new_kafka_id
from services.embedded.process import free_port, tethered

_ONE_STEP_SINCE: Final = 25
_ARCHIVE_SECONDS: Final = 60.0
_TEMPLATE_NAME: Final = "bootstrap.checkpoint"


def prepared(java: Java, jars: tuple[Path, ...], progress: Progress) -> tuple[Program, Path]:
    """Kafka with its class archive, and the template for new log directories; both are made here if missing.

    Raises StartFailed when Kafka does not run at all. Safe when several processes do it at once.
    """
    plain = Program(java, jars)
    directory = cache_dir() / f"kafka-{KAFKA_VERSION}"
    directory.mkdir(exist_ok=True)
    template, archive = directory / _TEMPLATE_NAME, directory / f"classes-{_key(java, jars)}"
    if not (template.exists() and archive.exists()):
        with only_one(directory / ".lock"):
            _make(plain, template, archive, progress)
    if archive.stat().st_size == 0:
        return plain, template
    return replace(plain, archive_flags=_use_flags(java, archive)), template


def _make(plain: Program, template: Path, archive: Path, progress: Progress) -> None:
    # Looked at again under the lock: the process before us may have made them.
    with scratch_in(template.parent) as scratch:
        if not template.exists():
            progress("formatting Kafka's storage once", 0, 2)
            _format_template(plain, scratch / "format").replace(template)
        if not archive.exists():
            progress("making Kafka's class archive once", 1, 2)
            _train(plain, template, scratch / "train").replace(archive)
            progress("making Kafka's class archive once", 2, 2)


def _format_template(plain: Program, data_dir: Path) -> Path:
    data_dir.mkdir()
    node = Node(1, 9092, 9093)
    settings = data_dir / "server.properties"
    settings.write_text(server_properties(node, (node,), data_dir / "log"), encoding="ascii")
    log4j = data_dir / "log4j2.properties"
    log4j.write_text(LOG4J, encoding="ascii")
    command = plain.command(
        *("kafka.tools.StorageTool", "format", "--cluster-id", new_kafka_id(), "--config", settings),
        defines=(f"-Dlog4j2.configurationFile={log4j.as_uri()}",),
    )
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603 - our own command line
        tethered(command, signal.SIGKILL, "self"), capture_output=True, check=False, env=env
    )
    made = data_dir / "log" / _TEMPLATE_NAME
    if done.returncode != 0 or not made.exists():
        end = (done.stdout + done.stderr).decode("utf-8", "replace")[-1500:]
        raise StartFailed(f"Kafka could not format its storage with {plain.java.executable}; it said:\n{end}")
    return made


def _train(plain: Program, template: Path, data_dir: Path) -> Path:
    """Start and stop Kafka once while Java notes what it loads; an empty file says that this Java cannot."""
    archive = data_dir / "archive"
    program = replace(plain, archive_flags=_make_flags(plain.java, archive))
    claimed = claim(data_dir)
    cluster = format_log(data_dir, template, cluster=new_kafka_id(), node_id=1)
    node = Node(1, free_port(), free_port())
    running = launch_node(program, claimed, node, (node,), cluster)
    try:
        running.wait_ready()
    finally:
        running.child.stop(((signal.SIGTERM, _ARCHIVE_SECONDS),))
    if running.exit_code == -signal.SIGKILL:
        archive.unlink(missing_ok=True)
    archive.touch()
    return archive


def _make_flags(java: Java, archive: Path) -> tuple[str, ...]:
    return (
        (f"-XX:AOTCacheOutput={archive}",)
        if java.major >= _ONE_STEP_SINCE
        else (f"-XX:ArchiveClassesAtExit={archive}",)
    )


def _use_flags(java: Java, archive: Path) -> tuple[str, ...]:
    return (f"-XX:AOTCache={archive}",) if java.major >= _ONE_STEP_SINCE else (f"-XX:SharedArchiveFile={archive}",)


def _key(java: Java, jars: tuple[Path, ...]) -> str:
    # Java refuses an archive when a jar's place, size or time has changed, so that these are part of the name.
    stats = [(str(jar), (stat := jar.stat()).st_size, stat.st_mtime_ns) for jar in jars]
    return hashlib.sha256(repr((java.build, stats)).encode()).hexdigest()[:16]
