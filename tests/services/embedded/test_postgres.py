import os
import signal
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from services.embedded import postgres
from services.embedded.errors import DataDirInUse, EmbeddedError, StartFailed


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postgres") / "داده"
    running = postgres.start(path)
    with psycopg.connect(running.url) as connection:
        connection.execute("CREATE TABLE kept (note text)")
        connection.execute("INSERT INTO kept VALUES ('written before')")
    running.stop()
    return path


def _notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [str(row[0]) for row in connection.execute("SELECT note FROM kept")]


def test_a_restart_keeps_the_data_and_may_change_the_port(data_dir: Path) -> None:
    first = postgres.start(data_dir)
    first.stop()
    second = postgres.start(data_dir)
    try:
        assert first.exit_code == 0
        assert second.port != first.port
        assert _notes(second.url) == ["written before"]
    finally:
        second.stop()


def test_the_settings_are_the_ones_we_measured_with(data_dir: Path) -> None:
    wanted = {
        "fsync": "on",
        "wal_level": "replica",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "TimeZone": "UTC",
        "max_prepared_transactions": "0",
        "unix_socket_directories": "",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
        "server_encoding": "UTF8",
    }
    running = postgres.start(data_dir)
    try:
        with psycopg.connect(running.url) as connection:
            rows = connection.execute("SELECT name, current_setting(name) FROM pg_settings").fetchall()
            case = connection.execute("SELECT upper('é'), current_user").fetchone()
        assert {str(row[0]): str(row[1]) for row in rows}.items() >= wanted.items()
        assert case == ("É", "postgres")
    finally:
        running.stop()


def test_the_password_is_needed_and_only_its_owner_reads_it(data_dir: Path) -> None:
    running = postgres.start(data_dir)
    try:
        assert stat.S_IMODE((data_dir / "password").stat().st_mode) == 0o600
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{running.port}/tamas")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{running.port}/tamas")
    finally:
        running.stop()


def test_kill_9_and_a_pid_that_belongs_to_a_stranger_do_not_stop_a_restart(data_dir: Path) -> None:
    killed = postgres.start(data_dir)
    os.kill(killed.pid, signal.SIGKILL)
    killed.child.process.wait()
    killed.stop()
    assert killed.exit_code == -signal.SIGKILL
    left_behind = data_dir / "cluster" / "postmaster.pid"
    _, _, rest = left_behind.read_text(encoding="utf-8").partition("\n")
    left_behind.write_text(f"{os.getppid()}\n{rest}", encoding="utf-8")
    running = postgres.start(data_dir)
    try:
        assert _notes(running.url) == ["written before"]
    finally:
        running.stop()


def test_a_directory_in_use_is_refused(data_dir: Path) -> None:
    running = postgres.start(data_dir)
    try:
        with pytest.raises(DataDirInUse, match="in use by another running Tamas"):
            postgres.start(data_dir)
        assert _notes(running.url) == ["written before"]
    finally:
        running.stop()


def test_a_start_that_fails_names_the_log_and_its_last_lines(data_dir: Path) -> None:
    version = data_dir / "cluster" / "PG_VERSION"
    right = version.read_bytes()
    version.write_bytes(b"9\n")
    try:
        with pytest.raises(StartFailed) as failed:
            postgres.start(data_dir)
    finally:
        version.write_bytes(right)
    assert str(data_dir / "postgresql.log") in str(failed.value)
    assert "database files are incompatible with server" in str(failed.value)
    postgres.start(data_dir).stop()


def test_a_taken_port_is_an_error_when_it_was_asked_for(data_dir: Path, tmp_path: Path) -> None:
    running = postgres.start(data_dir)
    try:
        with pytest.raises(StartFailed, match="Address already in use"):
            postgres.start(tmp_path / "other", port=running.port)
    finally:
        running.stop()


def test_a_lost_password_is_told_before_anything_is_started(data_dir: Path) -> None:
    password = data_dir / "password"
    aside = password.rename(data_dir / "aside")
    try:
        with pytest.raises(EmbeddedError, match="put it back from a backup"):
            postgres.start(data_dir)
    finally:
        aside.rename(password)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_may_change_between_both_ways_out() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        for identity in ("nobody", "namespace", "nobody"):
            running = postgres.start(Path(scratch) / "data", identity=identity)
            owner = Path(f"/proc/{running.pid}").stat().st_uid
            running.stop()
            assert owner == (65534 if identity == "nobody" else 0)
