"""One owner per data directory, also across kill -9 of an owner."""

import fcntl
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.embedded.errors import DataDirInUse

_ORPHAN_SECONDS = 10.0


@dataclass(slots=True)
class Claim:
    """The right to run a server on a data directory; ends with `release` or with this process."""

    data_dir: Path
    lock: TextIO

    def note(self, pid: int) -> None:
        """Write down the server's pid, so that whoever comes after a kill -9 can wait for it."""
        (self.data_dir / "pid").write_text(f"{pid} {_started_at_ticks(pid)}", encoding="ascii")

    def release(self) -> None:
        """Let others have the directory; harmless when repeated."""
        self.lock.close()


def claim(data_dir: Path) -> Claim:
    """Take the directory (made if missing), and see off a server that outlived a killed owner.

    Raises DataDirInUse when another living process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DataDirInUse(
            f"{data_dir} is in use by another running Tamas; stop that one or choose another data directory"
        ) from error
    _see_off_orphan(data_dir / "pid")
    return Claim(data_dir, lock)


def _see_off_orphan(pid_file: Path) -> None:
    # The kernel has asked it to stop already; it may need a moment to finish its shutdown.
    if not pid_file.exists():
        return
    words = pid_file.read_text(encoding="ascii").split()
    if len(words) == 2:  # noqa: PLR2004 - pid and start time; anything else is a torn write
        _end_orphan(int(words[0]), words[1])
    pid_file.unlink()


def _end_orphan(pid: int, ticks: str) -> None:
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while ticks and _started_at_ticks(pid) == ticks:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _started_at_ticks(pid: int) -> str:
    # pid and start time together name a process for good, a pid alone is used again (proc(5), field 22).
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
