"""What is measured on: one PostgreSQL, one Kafka, ours and the peers beside each other, one server process each."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from psycopg import sql

from services.embedded import kafka, postgres
from services.embedded.kafka_node import RunningKafka
from services.embedded.postgres import RunningPostgres
from services.embedded.process import free_port
from services.migrate import migrate
from services.settings import Settings
from services.supervise import Worker
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.bench.traffic import RECIPIENT, TOKEN

TENANT = "bench"
MAILBOX = "help@bench.example"
_DESK = "dial:sip:desk@pbx.example"
_INBOXES = {
    "sms/twilio": NewInbox("sms/twilio", "Bench", RECIPIENT, {}, {"auth_token": TOKEN}),
    "voice/twilio": NewInbox("voice/twilio", "Calls", RECIPIENT, {"answer": _DESK}, {"auth_token": TOKEN}),
    "forms/web": NewInbox("forms/web", "Form", "form", {}, {}),
    "chat/widget": NewInbox("chat/widget", "Chat", "", {}, {}),
    "email/smtp": NewInbox("email/smtp", "Mail", MAILBOX, {}, {}),
}
_PATHS = {
    "sms/twilio": "/hooks/sms/twilio",
    "voice/twilio": "/hooks/voice/twilio",
    "forms/web": "/forms",
    "chat/widget": "/chat",
    "email/smtp": "",
}


@dataclass(frozen=True)
class Target:
    """A running door for Twilio's posts."""

    name: str
    url: str
    path: str
    pid: int
    database: str = ""
    beside: tuple[str, ...] = ()
    """Paths of the other doors for posts: calls, and a form."""
    chat: str = ""
    smtp: str = ""


@dataclass(frozen=True)
class Servers:
    """Embedded, as `tamas up` starts them."""

    folder: Path
    postgres: RunningPostgres
    kafka: RunningKafka

    def database(self) -> str:
        """The URL of a new database."""
        name = f"b_{secrets.token_hex(4)}"
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{self.postgres.url.rpartition('/')[0]}/{name}"

    def settings(self) -> Settings:
        """An installation of its own: migrated, nothing of ours running."""
        url = self.database()
        made = Settings.model_validate(
            {
                "DATABASE_URL": url,
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
                "data": self.folder / url.rpartition("/")[2],
                "secret_key": secrets.token_urlsafe(32),
                "topic_prefix": f"{url.rpartition('/')[2]}.",
                "topic_partitions": 3,
                "http_listen": f"127.0.0.1:{free_port()}",
                "smtp_listen": f"127.0.0.1:{free_port()}",
            }
        )
        made.data.mkdir()
        migrate(made)
        return made


@contextmanager
def servers() -> Generator[Servers]:
    """Start both; end both."""
    with TemporaryDirectory(prefix="tamas-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        database = postgres.start(Path(folder, "postgres"))
        stack.callback(database.stop)
        broker = kafka.start(Path(folder, "kafka"))
        stack.callback(broker.stop)
        yield Servers(Path(folder), database, broker)


def environment(settings: Settings) -> dict[str, str]:
    """What a process of ours needs to know."""
    return {
        "DATABASE_URL": settings.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TAMAS_DATA": str(settings.data),
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "TAMAS_TOPIC_PREFIX": settings.topic_prefix,
        "TAMAS_TOPIC_PARTITIONS": str(settings.topic_partitions),
        "TAMAS_HTTP_LISTEN": settings.http_listen,
        "TAMAS_SMTP_LISTEN": settings.smtp_listen,
    }


def add_inbox(settings: Settings) -> str:
    """A tenant with a Twilio inbox; returns the path of its hook."""
    return add_doors(settings, "sms/twilio")["sms/twilio"]


def add_doors(settings: Settings, *channels: str) -> dict[str, str]:
    """A tenant with an inbox of each of these channels; returns their paths (a mailbox has none)."""
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(TENANT, "Bench", "IR", "Asia/Tehran", "fa", "persian"))
        views = {name: tenancy.add_inbox(TENANT, _INBOXES[name]) for name in channels}
    return {name: f"{_PATHS[name]}/{view.key}" for name, view in views.items()}


@contextmanager
def running(settings: Settings, *roles: str) -> Generator[Worker]:
    """One process of ours with these roles."""
    worker = Worker("+".join(roles), roles, environment(settings), settings.data / f"{roles[0]}.log")
    worker.start()
    try:
        worker.wait_ready()
        yield worker
    finally:
        worker.stop()


@contextmanager
def whole(settings: Settings) -> Generator[dict[str, int]]:
    """`tamas up` on these servers: everything of ours; gives the process ids by worker."""
    command = [sys.executable, "-m", "services", "up", "--data", str(settings.data)]
    process = subprocess.Popen(
        command, env={**os.environ, **environment(settings)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready"), "tamas up did not start"
        pids: dict[str, int] = json.loads((settings.data / "endpoints.json").read_bytes())["pids"]
        yield pids
    finally:
        process.terminate()
        process.wait()


@contextmanager
def ours(found: Servers) -> Generator[Target]:
    """Our ingress alone: what it accepts is durable, sealed and de-duplicated. Every door is open."""
    settings = found.settings()
    paths = add_doors(settings, *_INBOXES)
    with running(settings, "ingress") as worker:
        assert worker.process is not None
        url, database = worker.addresses["http"], settings.topic_prefix.rstrip(".")
        beside = (paths["voice/twilio"], paths["forms/web"])
        yield Target(
            "ours",
            url,
            paths["sms/twilio"],
            worker.process.pid,
            database,
            beside,
            paths["chat/widget"],
            worker.addresses["smtp"],
        )


@contextmanager
def peer(found: Servers, kind: str, *, tuned: bool) -> Generator[Target]:
    """`kafka_first` or `postgres_first`, by uvicorn with one process (uvloop and httptools, as it chooses itself)."""
    port, name = free_port(), f"{kind} {'tuned' if tuned else 'as written'}"
    url = f"http://127.0.0.1:{port}"
    given = {"TOKEN": TOKEN, "PUBLIC_URL": url}
    if kind == "postgres_first":
        given["DATABASE"] = found.database()
    else:
        given |= {"KAFKA": found.kafka.bootstrap, "TOPIC": _topic(found)}
    factory = f"tests.bench.peers.{kind}:{'tuned' if tuned else 'app'}"
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port), "--no-access-log"]
    process = subprocess.Popen(command, env={**os.environ, **given}, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Target(name, url, "/sms", process.pid, beside=("/voice", "/form"))
    finally:
        process.terminate()
        process.wait()


def _topic(found: Servers) -> str:
    """Three partitions, as ours has with the embedded broker."""
    name = f"peer.{secrets.token_hex(4)}"
    asyncio.run(_create(found.kafka.bootstrap, name))
    return name


async def _create(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the peer did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the peer does not listen")
