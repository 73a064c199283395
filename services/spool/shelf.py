"""The folder of one process in the spool: its segments, and a lock that tells whether that process lives.

A shelf whose process has gone is taken over by another one. Everything here does file I/O.
"""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

from services.spool import frames

SUFFIX: Final = ".segment"
ASIDE: Final = "aside"
_LOCK: Final = "lock"


class Shelf:
    """A locked folder; whoever holds the lock reads and removes its segments."""

    def __init__(self, folder: Path, lock: int) -> None:
        """Use `make` or `orphans`."""
        self.folder: Final = folder
        self._lock: Final = lock

    @classmethod
    def make(cls, root: Path) -> "Shelf":
        """A new one. Raises `OSError`."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        # Others look for orphans: it gets its name once it is locked.
        draft = root / f".{name}"
        draft.mkdir(mode=0o700)
        lock = _locked(draft)
        assert lock is not None  # noqa: S101 - nobody else knows the folder
        folder = draft.rename(root / name)
        fsync_folder(root)
        fsync_folder(root.parent)
        return cls(folder, lock)

    @classmethod
    def orphans(cls, root: Path) -> "list[Shelf]":
        """Shelves that nobody holds, locked for us."""
        found = [(folder, _locked(folder)) for folder in folders(root)]
        return [cls(folder, lock) for folder, lock in found if lock is not None]

    def segments(self) -> list[Path]:
        """Oldest first."""
        return segments(self.folder)

    def set_aside(self, segment: Path, head: bytes, piece: bytes, what: str) -> Path:
        """Keep bytes that could not be read, with the head of their segment.

        Put back as `….segment` in a new folder of the spool, they are read again.
        """
        aside = self.folder.parent / ASIDE
        aside.mkdir(exist_ok=True, mode=0o700)
        path = aside / f"{self.folder.name}-{segment.stem}-{what}"
        path.write_bytes(head + piece)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        fsync_folder(aside)
        return path

    def close(self) -> None:
        """Give it up, and remove it if it is empty."""
        if not self.segments():
            (self.folder / _LOCK).unlink(missing_ok=True)
            self.folder.rmdir()
        os.close(self._lock)


def folders(root: Path) -> list[Path]:
    """Every shelf, oldest first; none when there was never a need for one."""
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if path.is_dir() and path.name != ASIDE and path.name[0] != "."]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def segments(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def waiting(root: Path) -> int:
    """How many requests wait on this machine at most: a segment is removed once all of it is on the record."""
    return sum(_count(path) for folder in folders(root) for path in segments(folder))


def aside(root: Path) -> int:
    """How many files hold what could not be read."""
    folder = root / ASIDE
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def fsync_folder(folder: Path) -> None:
    """Make its names durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _count(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return frames.count(file)
    except FileNotFoundError:
        return 0


def _locked(folder: Path) -> int | None:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if not folder.is_dir() or not (folder / _LOCK).exists():
        # Another one emptied and removed it between our two steps.
        os.close(lock)
        return None
    return lock
