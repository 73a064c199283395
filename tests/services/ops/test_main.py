"""The command as a process: what a shell sees."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.__main__ import SUBJECTS, root


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(
        [sys.executable, "-m", "services", *words],
        env=kept | {"TAMAS_DATA": "/nonexistent", "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_subject_and_imports_none() -> None:
    started = time.perf_counter()
    done = run("--help")
    assert time.perf_counter() - started < 2
    assert done.returncode == 0
    for name in SUBJECTS:
        assert f" {name} " in done.stdout
    heavy = "import sys; from services.__main__ import root; root(['--help'])"
    check = f"{heavy}; print([m for m in ('psycopg', 'pydantic', 'httpx', 'channels') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_can_be_asked_for_help(subject: str) -> None:
    assert root([subject]).registered_commands or root([subject]).registered_groups


@pytest.mark.parametrize(
    ("words", "environment", "code", "told"),
    [
        (("tenant", "list"), {}, 78, "No database is known"),
        (("tenant", "list"), {"DATABASE_URL": "postgresql://127.0.0.1:1/tamas"}, 69, "PostgreSQL is not reached"),
        (("token", "list"), {"TAMAS_TOPIC_PARTITIONS": "many"}, 78, "TAMAS_TOPIC_PARTITIONS"),
        (("nothing",), {}, 2, "No such command"),
    ],
)
def test_exit_codes(words: tuple[str, ...], environment: dict[str, str], code: int, told: str) -> None:
    done = run(*words, **environment)
    assert (done.returncode, done.stdout) == (code, "")
    assert told.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    request = tmp_path / "one.http"
    request.write_text("POST /hooks/sms/twilio/k HTTP/1.1\n\nMessageSid=SM1&From=%2B989120000000&Body=x")
    command = f"{sys.executable} -m services parse sms/twilio {request} --json | true"
    assert "Traceback" not in subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stderr  # noqa: S602
