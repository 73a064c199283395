"""CPU and memory of processes, from /proc."""

import os
from pathlib import Path

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads, and of its children that ended."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) * _TICK_SECONDS


def tree_cpu_seconds(pid: int) -> float:
    """The same with its living children: a postmaster's backends end and start all the time."""
    while True:
        try:
            return sum(cpu_seconds(one) for one in (pid, *_children(pid)))
        except (FileNotFoundError, ProcessLookupError):
            # A child ended meanwhile: its time is with its parent's now, so add up again.
            _stat(pid)


def resident_bytes(pid: int) -> int:
    """RSS."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def _children(pid: int) -> list[int]:
    found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and _parent(path) == pid]
    return [one for child in found for one in (child, *_children(child))]


def _parent(path: Path) -> int:
    try:
        return int(_stat(int(path.name))[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _stat(pid: int) -> list[str]:
    # The name in parentheses may hold spaces; the fields after it are what proc(5) counts from 3.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
