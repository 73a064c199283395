import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest

from services.embedded import kafka, postgres
from services.embedded.data_dir import _started_at_ticks, claim
from services.embedded.errors import EmbeddedError, PortTaken
from services.embedded.process import free_port, on_free_port, spawn

AS_NOBODY = """
import sys, time
from pathlib import Path
from services.embedded import postgres
print(postgres.start(Path(sys.argv[1]), identity="nobody").pid, flush=True)
time.sleep(600)
"""
LAUNCHER = """
import sys, time
from pathlib import Path
from services.embedded import kafka, postgres
data_dir = Path(sys.argv[1])
print(postgres.start(data_dir / "pg").pid, kafka.start(data_dir / "kf").pid, flush=True)
time.sleep(600)
"""


def _wait_until_gone(*pids: int) -> float:
    begun = time.monotonic()
    while any(_started_at_ticks(pid) for pid in pids):
        assert time.monotonic() - begun < 15, "a server outlived its launcher"
        time.sleep(0.02)
    return time.monotonic() - begun


def _launch_and_kill(launcher_code: str, data_dir: Path) -> list[int]:
    with subprocess.Popen(
        [sys.executable, "-c", launcher_code, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        pids = [int(word) for word in launcher.stdout.readline().split()]
        launcher.kill()
    assert pids
    return pids


def test_kill_9_of_the_launcher_ends_both_servers(tmp_path: Path) -> None:
    _wait_until_gone(*_launch_and_kill(LAUNCHER, tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_kill_9_of_the_launcher_ends_a_server_that_has_become_nobody() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        _wait_until_gone(*_launch_and_kill(AS_NOBODY, Path(scratch)))


def test_a_start_right_after_kill_9_of_the_launcher_waits_for_the_old_servers(tmp_path: Path) -> None:
    old = _launch_and_kill(LAUNCHER, tmp_path)
    pg = postgres.start(tmp_path / "pg")
    try:
        assert _started_at_ticks(old[0]) == ""
        with psycopg.connect(pg.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        pg.stop()
    kafka.start(tmp_path / "kf").stop()
    assert _started_at_ticks(old[1]) == ""


def test_a_server_is_not_started_from_another_thread(tmp_path: Path) -> None:
    refused: list[str] = []

    def start() -> None:
        with pytest.raises(EmbeddedError) as error:
            postgres.start(tmp_path)
        refused.append(str(error.value))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "must be started from the main thread" in refused[0]


def test_stop_goes_on_to_kill_when_asking_does_not_help(tmp_path: Path) -> None:
    child = spawn(
        "Stubborn",
        ["/bin/sh", "-c", "trap '' TERM INT; echo ready; while true; do sleep 0.05; done"],
        claim(tmp_path),
        death_signal=signal.SIGKILL,
    )
    child.wait_until(lambda: "ready" in child.log_tail(), 5)
    child.stop([(signal.SIGTERM, 0.2), (signal.SIGINT, 0.2)])
    assert child.exit_code == -signal.SIGKILL
    claim(tmp_path).release()


def test_another_port_is_tried_only_if_the_port_is_ours_to_choose() -> None:
    tried: list[int] = []

    def start_once() -> int:
        tried.append(free_port())
        if len(tried) < 3:
            raise PortTaken(str(tried[-1]))
        return tried[-1]

    with pytest.raises(PortTaken):
        on_free_port(start_once, is_fixed=True)
    assert on_free_port(start_once, is_fixed=False) == tried[-1]
    assert len(tried) == 3


def test_ctrl_c_at_the_terminal_is_not_for_the_servers(tmp_path: Path) -> None:
    child = spawn("Sleeper", ["/bin/sleep", "60"], claim(tmp_path), death_signal=signal.SIGKILL)
    assert os.getpgid(child.pid) != os.getpgid(0)
    child.stop([(signal.SIGTERM, 5.0)])
    assert child.exit_code == -signal.SIGTERM
