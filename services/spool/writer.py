"""Appends requests durably to the newest segment of this process: sealed, in groups that share one fsync."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channels.contract import InboundRequest
from services.keys.vault import Vault, new_key
from services.record.raw import sealed
from services.spool import frames
from services.spool.shelf import SUFFIX, Shelf, fsync_folder

_SEGMENT_BYTES: Final = 8 << 20


class Kept(NamedTuple):
    """A request to keep."""

    inbox_id: UUID
    raw_id: UUID
    request: InboundRequest


class Writer:
    """For one thread. `ends` are its segments, oldest first, and how far each is durable."""

    def __init__(self, root: Path, vault: Vault) -> None:
        """Makes no file before the first `write`."""
        self._root: Final = root
        self._vault: Final = vault
        self._file = -1
        self._active: Path | None = None
        self._cipher: AESGCM | None = None
        self._number = 0
        self.shelf: Shelf | None = None
        self.ends: Final[dict[Path, int]] = {}

    def write(self, group: Sequence[Kept]) -> int:
        """Append and fsync; returns how many bytes the files grew.

        Raises:
            OSError: nothing of the group is kept (ENOSPC, EIO, …).
        """
        before = sum(self.ends.values())
        if self._active is None or self.ends[self._active] >= _SEGMENT_BYTES:
            self._begin()
        assert self._active is not None  # noqa: S101 - just begun
        assert self._cipher is not None  # noqa: S101 - the same
        made = [frames.frame(one.inbox_id, one.raw_id, sealed(one.request, one.raw_id, self._cipher)) for one in group]
        self._append(self._active, b"".join(made))
        return sum(self.ends.values()) - before

    def drop(self, segment: Path) -> None:
        """Remove a segment that is wholly on the record."""
        if segment == self._active:
            self._end()
        segment.unlink()
        del self.ends[segment]

    def close(self) -> None:
        """Give the shelf up; what is on it is for the next process."""
        self._end()
        if self.shelf is not None:
            self.shelf.close()
            self.shelf = None

    def _begin(self) -> None:
        self._end()
        if self.shelf is None:
            self.shelf = Shelf.make(self._root)
        self._number += 1
        path = self.shelf.folder / f"{self._number:010}{SUFFIX}"
        key = new_key()
        start = frames.head(self._vault.wrap(key, CONTEXT))
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.ends[path] = 0
        try:
            self._append(path, start)
            fsync_folder(self.shelf.folder)
        except OSError:
            del self.ends[path]
            self._end()
            path.unlink(missing_ok=True)
            raise
        self._active, self._cipher = path, AESGCM(key)

    def _append(self, path: Path, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            # After a failed fsync nobody knows what the disk has: no later frame may follow such bytes.
            self._cut(self.ends[path])
            raise
        self.ends[path] += len(data)

    def _cut(self, end: int) -> None:
        try:
            os.ftruncate(self._file, end)
        except OSError:
            pass
        finally:
            self._end()

    def _end(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._active, self._cipher = -1, None, None


CONTEXT: Final = b"tamas/spool"
"""Binds the wrapped key of a segment to its use."""
