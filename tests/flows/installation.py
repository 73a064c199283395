"""A whole installation by `tamas up`, in a process group of its own, whose processes a test may kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from services.settings import Settings, load

_TAMAS = (sys.executable, "-m", "services")
_READY_SECONDS = 120.0
_STOP_SECONDS = 30.0


def eventually(told: Callable[[], Any], what: str, seconds: float = 40.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


class Installation:
    """What `tamas up` started."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self._environment = dict(environment or {})
        with (data / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_TAMAS, "up", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--data", str(data)],
                env={**_kept(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            eventually(self._is_ready, "tamas up is ready", _READY_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _is_ready(self) -> bool:
        said = (self.data / "up.log").read_text("utf-8")
        assert self._process.poll() is None, said
        return "\nready http=" in f"\n{said}" and (self.data / "endpoints.json").exists()

    @property
    def is_running(self) -> bool:
        """Whether `tamas up` itself is."""
        return self._process.poll() is None

    @property
    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.data / "endpoints.json").read_bytes())

    @property
    def settings(self) -> Settings:
        """As a command beside it has them, and with the secret and the views that the installation was given."""
        found, given = load(self.data), self._environment
        update: dict[str, Any] = {}
        if "TAMAS_SECRET_KEY" in given:
            update["secret_key"] = (SecretStr(given["TAMAS_SECRET_KEY"]),)
        for name in ("VIEWS_URL", "KEYS_URL"):
            if name in given:
                update[name.lower()] = given[name]
        return found.model_copy(update=update)

    def pid(self, role: str) -> int:
        return self.endpoints["pids"][role]

    def signal(self, role: str, number: signal.Signals) -> int:
        """To the process of this role as it is now; returns its pid."""
        pid = self.pid(role)
        os.kill(pid, number)
        return pid

    def kill(self, role: str) -> None:
        """SIGKILL, and wait until another process has the role."""
        self.replaced(role, self.signal(role, signal.SIGKILL))

    def freeze(self, role: str) -> Callable[[], None]:
        """SIGSTOP to the whole server; gives what lets it go on where it was."""
        server = psutil.Process(self.pid(role))
        # First itself, so that nobody is born meanwhile; those may end whom their clients have left.
        server.suspend()
        family = [server, *server.children(recursive=True)]
        _each(family, psutil.Process.suspend)
        return lambda: _each(family, psutil.Process.resume)

    def replaced(self, role: str, pid: int) -> None:
        eventually(lambda: self.endpoints["pids"].get(role, pid) != pid, f"{role} is started again")

    @contextmanager
    def without(self, role: str) -> Generator[None]:
        """Kill a process that nobody starts again before the end of it."""
        self.signal("up", signal.SIGSTOP)
        pid = self.signal(role, signal.SIGKILL)
        try:
            yield
        finally:
            self.signal("up", signal.SIGCONT)
        self.replaced(role, pid)

    def stop(self) -> None:
        """SIGTERM as an operator does it; whatever is left of its processes is killed."""
        family = [self._process.pid, *_pids(self._process.pid)]
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command beside it."""
        return self.command({**self._environment, "TAMAS_DATA": str(self.data)}, *words)

    @staticmethod
    def command(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        """`tamas` with these words."""
        return subprocess.run(
            [*_TAMAS, *words],
            env={**_kept(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def running(data: Path, environment: Mapping[str, str]) -> Generator[Installation]:
    """An installation with servers that are there, for so long."""
    up = Installation(data, environment)
    try:
        yield up
    finally:
        up.stop()


def _each(family: Sequence[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            act(process)


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TAMAS_", "DATABASE", "KAFKA"))}


def _pids(parent: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(parent).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
