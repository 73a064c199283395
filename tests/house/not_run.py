"""A pytest plugin: the last lines of a run name each test that did not run, and why.

With TAMAS_ALL_TESTS set such a run fails, unless the reason contains the text in TAMAS_MAY_SKIP.
"""

import os
from collections.abc import Sequence
from typing import Any, Final

import pytest

_FAILED: Final = pytest.ExitCode.TESTS_FAILED
_CHOSEN_AWAY: Final = "chosen away"


class NotRun:
    """Gathers what was skipped (`reason`) or deselected during one run."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Chosen away by -k, -m or --deselect."""
        self.reasons |= {item.nodeid: "deselected" for item in items}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of several processes has ended, and says what was chosen away there."""
        self.reasons |= getattr(node, "workeroutput", {}).get(_CHOSEN_AWAY, {})

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


class Worker:
    """In each of several processes that run tests: skipped ones are reported anyway, these are not."""

    def __init__(self, output: dict[str, Any]) -> None:
        self._output: Final = output

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Chosen away by -k, -m or --deselect; the same in each process."""
        self._output.setdefault(_CHOSEN_AWAY, {}).update((item.nodeid, "deselected") for item in items)


def pytest_configure(config: pytest.Config) -> None:
    """In the process that reports, and in those that run tests for it."""
    output = getattr(config, "workeroutput", None)
    config.pluginmanager.register(NotRun() if output is None else Worker(output), "tests-not-run")


def _reason(told: object) -> str:
    found = told[2] if isinstance(told, tuple) else told  # pyright: ignore[reportUnknownVariableType]
    return str(found).removeprefix("Skipped: ")  # pyright: ignore[reportUnknownArgumentType]
