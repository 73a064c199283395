"""The plugin that names what did not run, on a run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

TESTS = """
import pytest

def test_runs(): ...

@pytest.mark.skip(reason="needs a PLACE")
def test_skipped(): ...

@pytest.mark.xfail(strict=True)
def test_fails_as_expected():
    assert False
"""


MODULE = """
import pytest

pytest.skip("needs a PLACE too", allow_module_level=True)
"""


@pytest.fixture(params=["in this process", "in two"])
def processes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return () if request.param == "in this process" else ("--numprocesses", "2", "--dist", "loadfile")


def _run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    (folder / "test_some.py").write_text(TESTS, "utf-8")
    (folder / "test_module.py").write_text(MODULE, "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAMAS_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.house.not_run", "--rootdir", str(folder), *arguments]
    found = subprocess.run(
        [*command, str(folder)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout


def test_what_was_skipped_is_told_with_its_reason(tmp_path: Path, processes: tuple[str, ...]) -> None:
    code, told = _run(tmp_path, *processes)
    assert code == 0
    assert "2 did not run" in told
    assert "test_some.py::test_skipped: needs a PLACE\n" in told
    assert "test_module.py: needs a PLACE too\n" in told
    assert "test_fails_as_expected" not in told


def test_what_was_chosen_away_is_told(tmp_path: Path, processes: tuple[str, ...]) -> None:
    code, told = _run(tmp_path, "-k", "runs", *processes)
    assert code == 0
    assert "3 did not run" in told
    assert "test_some.py::test_skipped: deselected" in told


@pytest.mark.parametrize(("may_skip", "code"), [("", 1), ("OTHER", 1), ("PLACE", 0)])
def test_a_run_that_has_to_be_whole_fails(tmp_path: Path, processes: tuple[str, ...], may_skip: str, code: int) -> None:
    assert _run(tmp_path, *processes, TAMAS_ALL_TESTS="1", TAMAS_MAY_SKIP=may_skip)[0] == code
