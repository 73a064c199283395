"""A pytest plugin: the last lines of a run name each test that did not run, and why.

With TAMAS_ALL_TESTS set such a run fails, unless the reason contains the text in TAMAS_MAY_SKIP.
"""

import os
from collections.abc import Sequence
from typing import Final

import pytest

_FAILED: Final = pytest.ExitCode.TESTS_FAILED


class NotRun:
    """Gathers what was skipped (`reason`) or deselected during one run."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Chosen away by -k, -m or --deselect."""
        self.reasons |= {item.nodeid: "deselected" for item in items}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module that skips itself."""
        if report.skipped:
            self.reasons[report.nodeid] = _reason(report.longrepr)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One test; an expected failure has run."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reasons[report.nodeid] = _reason(report.longrepr)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that had to be whole."""
        if session.exitstatus == pytest.ExitCode.OK and self._unexcused():
            session.exitstatus = _FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell them."""
        if not self.reasons:
            return
        terminalreporter.section(f"{len(self.reasons)} did not run")
        for test, reason in self.reasons.items():
            terminalreporter.line(f"{test}: {reason}")
        if unexcused := self._unexcused():
            terminalreporter.line(f"TAMAS_ALL_TESTS is set, so this run fails: {unexcused} did not run.", red=True)

    def _unexcused(self) -> int:
        if not os.environ.get("TAMAS_ALL_TESTS"):
            return 0
        excused = os.environ.get("TAMAS_MAY_SKIP") or None
        return sum(excused is None or excused not in reason for reason in self.reasons.values())


def pytest_configure(config: pytest.Config) -> None:
    """Only in the process that reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NotRun(), "tests-not-run")


def _reason(told: object) -> str:
    found = told[2] if isinstance(told, tuple) else told  # pyright: ignore[reportUnknownVariableType]
    return str(found).removeprefix("Skipped: ")  # pyright: ignore[reportUnknownArgumentType]
