"""Starts what an installation is made of, restarts what dies and says so, and ends everything on Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from services.embedded.process import tethered

Say = Callable[[str], None]

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 10.0
_STEADY_SECONDS: Final = 30.0


class StartFailed(Exception):
    """A process ended before it was ready; the sentence has the end of its log."""


@dataclass(slots=True)
class Worker:
    """One supervised process of ours. `roles` as `tamas run` takes them."""

    name: str
    roles: Sequence[str]
    environment: dict[str, str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    again_at: float = 0.0
    restarts: int = 0
    addresses: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it; it ends with us, even by kill -9 (call from the main thread)."""
        command = [sys.executable, "-m", "services", "run", *self.roles]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                tethered(command, signal.SIGTERM, "self"),
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def wait_ready(self) -> None:
        """Read its ready line.

        Raises:
            StartFailed: it ended or said nothing in time.
        """
        assert self.process is not None  # noqa: S101 - start() comes first
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = _line(self.process.stdout, _READY_SECONDS)
        if not line.startswith("ready"):
            with suppress(ProcessLookupError):
                self.process.kill()
            raise StartFailed(f"{self.name} did not start; the end of {self.log_path}:\n{self._tail()}")
        self.addresses = dict(word.split("=", 1) for word in line.split()[1:])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if it does not follow."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def watch(self, say: Say) -> bool:
        """Restart it if it ended, with growing pauses while it ends at once; True when it is new."""
        if self.process is not None and (code := self.process.poll()) is not None:
            lived = time.monotonic() - self.started_at
            self.failures = 0 if lived > _STEADY_SECONDS else self.failures + 1
            pause = min(0.1 * 2**self.failures, _LONGEST_PAUSE_SECONDS) if self.failures > 1 else 0.0
            say(f"{self.name} ended ({_how(code)}); starting it again. Its log is {self.log_path}")
            self.process = None
            self.again_at = time.monotonic() + pause
        if self.process is None and time.monotonic() >= self.again_at:
            self.restarts += 1
            self.start()
            return True
        return False

    def _tail(self) -> str:
        return "\n".join(self.log_path.read_text("utf-8", "replace").splitlines()[-15:])


def write_endpoints(data: Path, addresses: dict[str, str], workers: Sequence[Worker], others: dict[str, int]) -> None:
    """`endpoints.json`: the addresses and the pids by role, for other commands and for harnesses."""
    pids = {worker.name: worker.process.pid for worker in workers if worker.process is not None}
    restarts = {worker.name: worker.restarts for worker in workers}
    told = {**addresses, "pids": {**pids, **others, "up": os.getpid()}, "restarts": restarts}
    draft = data / "endpoints.json.new"
    draft.write_text(json.dumps(told, indent=1), "utf-8")
    draft.chmod(0o600)
    draft.replace(data / "endpoints.json")


def _line(stream: IO[bytes], seconds: float) -> str:
    """One line of a pipe, empty when it closes or the time is over."""
    os.set_blocking(stream.fileno(), False)
    deadline, read = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        part = stream.read()
        if part == b"":
            break
        read += part or b""
        if b"\n" in read:
            break
        time.sleep(0.01)
    return read.decode("utf-8", "replace").partition("\n")[0]


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
