"""Logs of a process whose stderr nobody reads."""

import subprocess
import sys

import pytest

from tests.pipes import full_pipe

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
    talking = [sys.executable, "-c", _TALKS]
    with full_pipe() as here:
        done = subprocess.run(talking, input=b"\n", stdout=subprocess.PIPE, stderr=here, check=False)
    assert done.stdout == b"done\n"


_FAILS = """
import sys
import structlog
from services import logs
from services.settings import Settings

logs.configure(Settings(log_format=sys.argv[1]), "test")
try:
    try:
        int("my secret")
    except ValueError as error:
        raise KeyError("sara@example.com") from error
except KeyError:
    structlog.get_logger().exception("a channel failed")
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_fault_is_told_without_the_words_of_a_person(log_format: str) -> None:
    command = [sys.executable, "-c", _FAILS, log_format]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "a channel failed" in told
    assert told.index("builtins.ValueError") < told.index("led to:") < told.index("builtins.KeyError")
    assert "line 10, in <module>" in told
    assert "secret" not in told
    assert "sara" not in told
