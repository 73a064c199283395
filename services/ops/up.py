"""`tamas up`: everything on this machine, on the servers that the environment names or on embedded ones."""

import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer

from services.embedded.kafka_node import RunningKafka
from services.embedded.postgres import RunningPostgres
from services.embedded.process import free_port
from services.ops.output import say
from services.settings import Settings
from services.supervise import Say, Worker, write_endpoints

_TICK_SECONDS: Final = 0.1
_WORKERS: Final[dict[str, tuple[str, ...]]] = {
    "edge": ("edge",),
    "parser": ("parser",),
    "imap": ("imap",),
    "core": ("core",),
    "views": ("views",),
}


@dataclass(slots=True)
class Installation:
    """A running installation: its servers, its workers, and where they listen."""

    data: Path
    environment: dict[str, str]
    workers: list[Worker]
    postgres: RunningPostgres | None = None
    kafka: RunningKafka | None = None
    addresses: dict[str, str] = field(default_factory=dict)

    def ready_line(self) -> str:
        """What `tamas up` prints when it is ready."""
        return " ".join(["ready", *(f"{name}={address}" for name, address in self.addresses.items())])

    def watch(self, tell: Say) -> None:
        """Restart what ended; call it a few times a second."""
        self._watch_servers(tell)
        fresh = [worker.watch(tell) for worker in self.workers]
        if any(fresh):
            self.note()

    def note(self) -> None:
        """Write endpoints.json."""
        servers = {"postgres": self.postgres, "kafka": self.kafka}
        pids = {name: server.pid for name, server in servers.items() if server is not None}
        # What a command beside it must not guess: partitions of topics decide where a read model stands.
        topics = {name: self.environment[f"TAMAS_{name.upper()}"] for name in ("topic_prefix", "topic_partitions")}
        write_endpoints(self.data, {**self.addresses, **topics}, self.workers, pids)

    def stop(self) -> None:
        """Workers first, then the servers they use."""
        for worker in self.workers:
            worker.stop()
        for server in (self.kafka, self.postgres):
            if server is not None:
                server.stop()
        (self.data / "endpoints.json").unlink(missing_ok=True)

    def _watch_servers(self, tell: Say) -> None:
        if self.postgres is not None and self.postgres.exit_code is not None:
            tell("PostgreSQL ended; starting it again.")
            from services.embedded import postgres  # noqa: PLC0415 - only with embedded servers

            self.postgres.stop()
            self.postgres = postgres.start(self.data / "postgres", port=self.postgres.port)
            self.note()
        if self.kafka is not None and self.kafka.exit_code is not None:
            tell("Kafka ended; starting it again.")
            from services.embedded import kafka  # noqa: PLC0415 - the same

            node = self.kafka.node
            self.kafka.stop()
            self.kafka = kafka.start(self.data / "kafka", port=node.port, controller_port=node.controller_port)
            self.note()


def start(given: Settings, tell: Say) -> Installation:
    """Servers, schema, topics, workers; returns when all are ready.

    Raises:
        EmbeddedError, StartFailed, Misconfigured: with a sentence on what to do.
    """
    data = given.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    up = Installation(data, {}, [])
    try:
        found = _with_servers(given.model_copy(update={"data": data}), up, tell)
        _prepare(found, tell)
        _start_workers(found, up, tell)
    except BaseException:
        up.stop()
        raise
    return up


def _with_servers(given: Settings, up: Installation, tell: Say) -> Settings:
    update: dict[str, Any] = {}
    if not given.record_url:
        from services.embedded import postgres  # noqa: PLC0415 - only with embedded servers

        tell("Starting PostgreSQL …")
        up.postgres = postgres.start(up.data / "postgres")
        update |= dict.fromkeys(("database_url", "record_url", "views_url", "keys_url"), up.postgres.url)
    if not given.kafka_bootstrap_servers:
        from services.embedded import kafka  # noqa: PLC0415 - the same

        tell("Starting Apache Kafka …")
        up.kafka = kafka.start(up.data / "kafka", progress=_progress(tell))
        update["kafka_bootstrap_servers"] = up.kafka.bootstrap
        update["topic_partitions"] = 3 if "topic_partitions" not in given.model_fields_set else given.topic_partitions
    if not given.secret_key and given.secret_key_file is None:
        update["secret_key_file"] = _own_secret(up.data)
    return given.model_copy(update=update)


def _progress(tell: Say) -> Callable[[str, int, int], None]:
    shown: set[str] = set()

    def show(what: str, done: int, total: int) -> None:
        if what not in shown or done == total:
            shown.add(what)
            tell(f"  {what} {done}/{total}")

    return show


def _own_secret(data: Path) -> Path:
    path = data / "secret.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), "ascii")
    return path


def _prepare(found: Settings, tell: Say) -> None:
    import asyncio  # noqa: PLC0415 - not needed before there are servers

    from services import topics  # noqa: PLC0415 - the same
    from services.migrate import migrate  # noqa: PLC0415 - the same
    from services.record import identity  # noqa: PLC0415 - the same

    done = migrate(found)
    if done:
        tell(f"Migrated: {', '.join(done)}")
    identity.check(found.record_url)
    made = asyncio.run(topics.create(found))
    if made:
        tell(f"Topics created: {', '.join(made)}")


def _start_workers(found: Settings, up: Installation, tell: Say) -> None:
    logs = up.data / "logs"
    logs.mkdir(exist_ok=True)
    up.environment = _environment(found)
    for name, roles in _WORKERS.items():
        worker = Worker(name, roles, up.environment, logs / f"{name}.log")
        up.workers.append(worker)
        worker.start()
    for worker in up.workers:
        worker.wait_ready()
    edge = up.workers[0].addresses
    up.addresses = {
        **{name: edge[name] for name in ("http", "smtp", "lmtp") if name in edge},
        "kafka": found.kafka_bootstrap_servers,
        "postgres": found.record_url,
        **{name: address for worker in up.workers for name, address in worker.addresses.items() if name == "desk"},
    }
    if found.public_url:
        up.addresses["public_url"] = found.public_url
    if found.metrics_listen:
        up.addresses["metrics"] = f"http://{found.metrics_listen}/metrics"
    # A worker that is started again must take the ports that the world already knows.
    taken = {"TAMAS_HTTP_LISTEN": edge["http"].removeprefix("http://"), "TAMAS_SMTP_LISTEN": edge["smtp"]}
    if "desk" in up.addresses:
        taken["TAMAS_DESK_LISTEN"] = up.addresses["desk"].removeprefix("http://").removesuffix("/desk")
    if "lmtp" in edge:
        taken["TAMAS_LMTP_LISTEN"] = edge["lmtp"]
    for worker in up.workers:
        worker.environment = {**up.environment, **taken}
    up.note()
    tell("All processes are ready.")


def _known_port(listen: str) -> str:
    """Where the front door listens is told to providers by other processes too, so that port 0 is drawn here."""
    host, _, port = listen.rpartition(":")
    return f"{host}:{free_port()}" if port == "0" else listen


def _environment(found: Settings) -> dict[str, str]:
    named = {
        "RECORD_URL": found.record_url,
        "VIEWS_URL": found.views_url,
        "KEYS_URL": found.keys_url,
        "KAFKA_BOOTSTRAP_SERVERS": found.kafka_bootstrap_servers,
        "TAMAS_DATA": str(found.data),
        "TAMAS_HTTP_LISTEN": _known_port(found.http_listen),
        "TAMAS_SMTP_LISTEN": found.smtp_listen,
        "TAMAS_LMTP_LISTEN": found.lmtp_listen,
        "TAMAS_API_LISTEN": found.api_listen or f"127.0.0.1:{free_port()}",
        "TAMAS_DESK_LISTEN": found.desk_listen,
        "TAMAS_METRICS_LISTEN": found.metrics_listen,
        "TAMAS_TOPIC_PARTITIONS": str(found.topic_partitions),
        "TAMAS_TOPIC_PREFIX": found.topic_prefix,
        "TAMAS_PUBLIC_URL": found.public_url,
    }
    if found.secret_key_file is not None:
        named["TAMAS_SECRET_KEY_FILE"] = str(found.secret_key_file)
    return {name: value for name, value in named.items() if value}


def up(
    *,
    http: Annotated[str | None, typer.Option("--http", metavar="HOST:PORT", help="Port 0 takes a free one.")] = None,
    smtp: Annotated[str | None, typer.Option("--smtp", metavar="HOST:PORT")] = None,
    lmtp: Annotated[str | None, typer.Option("--lmtp", metavar="HOST:PORT")] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Embedded servers, keys, blobs.")] = None,
) -> None:
    """Start everything; one line on stdout when it is ready; Ctrl-C ends it."""
    listens = {"http_listen": http, "smtp_listen": smtp, "lmtp_listen": lmtp, "data": data}
    # Not load(): endpoints.json may be what a killed `up` left behind.
    given = Settings().model_copy(update={name: value for name, value in listens.items() if value is not None})
    stopping: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running = start(given, say)
    typer.echo(running.ready_line())
    try:
        while not stopping:
            running.watch(say)
            time.sleep(_TICK_SECONDS)
    finally:
        say("Stopping …")
        running.stop()
    if signal.SIGINT in stopping:
        raise SystemExit(130)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"up": up}
