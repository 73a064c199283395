"""Logs of a process whose stderr nobody reads."""

import fcntl
import os
import subprocess
import sys

_TALKS = """
import structlog
from services import logs
from services.settings import Settings

logs.configure(Settings(log_format="json"), "test", waits=False)
log = structlog.get_logger()
for number in range(30_000):
    log.info("said", number=number)
print("done", flush=True)
input()
log.info("the last")
"""


def test_nobody_waits_for_who_reads_the_log_and_what_is_dropped_is_counted() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _TALKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    assert process.stdin is not None
    assert process.stderr is not None
    dropped = next(line for line in process.stderr if "dropped" in line)
    assert int(dropped.split()[0]) > 10_000
    process.stdin.write("\n")
    process.stdin.close()
    assert "the last" in process.stderr.read()
    assert process.wait() == 0


def test_a_process_ends_although_nobody_reads_its_log() -> None:
    there, here = os.pipe()
    fcntl.fcntl(here, fcntl.F_SETFL, fcntl.fcntl(here, fcntl.F_GETFL) | os.O_NONBLOCK)
    while _is_taken(here):
        pass
    os.set_blocking(here, True)
    done = subprocess.run([sys.executable, "-c", _TALKS], input=b"\n", stdout=subprocess.PIPE, stderr=here, check=False)
    assert done.stdout == b"done\n"
    os.close(there)
    os.close(here)


def _is_taken(pipe: int) -> bool:
    try:
        return os.write(pipe, b"x" * 4096) > 0
    except BlockingIOError:
        return False
