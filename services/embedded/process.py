"""Server processes that end with the process that started them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from services.embedded import tether
from services.embedded.data_dir import Claim
from services.embedded.errors import EmbeddedError, PortTaken, StartFailed

Identity: TypeAlias = Literal["self", "namespace", "nobody"]
"""Who the server runs as: our user, nobody by a user namespace, or really nobody."""

_LOG_BYTES_KEPT = 8 * 1024 * 1024
_TAIL_LINES = 15
_PORT_TRIES = 3
_Running = TypeVar("_Running")


def tethered(command: Sequence[str | Path], death_signal: signal.Signals, identity: Identity) -> list[str]:
    """The command line that runs `command` so that it gets `death_signal` when this process ends, even by kill -9."""
    start = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), str(int(death_signal)), identity]
    return [*start, *map(str, command)]


@dataclass(slots=True)
class Child:
    """A running server process; its output goes to `log_path`."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path
    log_start: int
    claim: Claim

    @property
    def pid(self) -> int:
        """Process id of the server itself, not of a wrapper."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative = ended by that signal."""
        return self.process.poll()

    def log_tail(self) -> str:
        """The last lines it wrote since this start."""
        with self.log_path.open("rb") as log:
            log.seek(self.log_start)
            lines = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def wait_until(self, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Return when `is_ready` says so. Raises StartFailed if the process ends or the time is up."""
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            if self.exit_code is not None:
                raise self._failed(f"ended with exit code {self.exit_code} before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready after {timeout_seconds:.0f} s")
            time.sleep(0.01)

    def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal in turn and wait its seconds, at last SIGKILL; returns when the process is gone."""
        for step, seconds in steps:
            if self.exit_code is not None:
                break
            self.process.send_signal(step)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        self.process.wait()
        self.claim.release()

    def _failed(self, what: str) -> StartFailed:
        tail = self.log_tail()
        kind = PortTaken if "Address already in use" in tail else StartFailed
        return kind(f"{self.name} {what}. Its log is {self.log_path}; the last lines:\n{tail}")


def spawn(
    name: str,
    command: Sequence[str | Path],
    claim: Claim,
    *,
    death_signal: signal.Signals,
    identity: Identity = "self",
    env: Mapping[str, str] | None = None,
) -> Child:
    """Start a server that ends with this process. Its log is `<name>.log` in the claimed directory.

    Only from the main thread: the kernel ties the child to the thread that started it, whose end would stop it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedError(f"{name} must be started from the main thread: it would be stopped when this thread ends")
    log_path = claim.data_dir / f"{name.lower()}.log"
    _set_aside(log_path)
    with log_path.open("ab") as log:
        log_start = log.tell()
        # Its own session: Ctrl-C at the terminal is for the supervisor, which stops servers last.
        process = subprocess.Popen(  # noqa: S603 - our own command line
            tethered(command, death_signal, identity),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    claim.note(process.pid)
    return Child(name, process, log_path, log_start, claim)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now; somebody may be faster, so starters try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_free_port(start_once: Callable[[], _Running], *, is_fixed: bool) -> _Running:
    """Start, and start again with other ports if somebody was faster; with a fixed port there is one try."""
    for _ in range(0 if is_fixed else _PORT_TRIES - 1):
        with suppress(PortTaken):
            return start_once()
    return start_once()


def _set_aside(log_path: Path) -> None:
    if log_path.exists() and log_path.stat().st_size > _LOG_BYTES_KEPT:
        log_path.replace(log_path.with_suffix(".log.1"))
