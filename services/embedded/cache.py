"""Where fetched and generated files are kept, so that a second data directory or a second clone starts at once."""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told `(what is being done, steps done, steps in all)` while something slow happens once."""


def cache_dir() -> Path:
    """The directory named by `TAMAS_CACHE`, else `~/.cache/tamas`; made if missing."""
    named = os.environ.get("TAMAS_CACHE")
    path = Path(named) if named else Path.home() / ".cache" / "tamas"
    path.mkdir(parents=True, exist_ok=True)
    return path.absolute()


@contextmanager
def only_one(lock_path: Path) -> Generator[None]:
    """Hold the lock file, waiting for other processes that hold it; a killed holder lets go of it."""
    with lock_path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch_in(directory: Path) -> Generator[Path]:
    """An empty directory on the same disk, for things to be renamed into place; for the holder of the lock only."""
    scratch = directory / ".scratch"
    # A killed holder has left it behind.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def silent(_what: str, _done: int, _total: int) -> None:
    """Progress for those who do not watch."""
