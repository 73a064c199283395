"""Reads segments back, oldest first, and sets aside what is not as it was written."""

from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channels.contract import InboundRequest
from services.keys.vault import Unsealable, Vault
from services.record.raw import opened
from services.spool import frames
from services.spool.shelf import Shelf
from services.spool.writer import CONTEXT, Kept

_LOG: Final = structlog.get_logger("spool")


class Place(NamedTuple):
    """Where a request lies."""

    shelf: Shelf
    segment: Path
    frame: frames.Frame


Found = tuple[Kept, Place]


class Reader:
    """For one thread."""

    def __init__(self, vault: Vault) -> None:
        """`vault` opens the keys of segments."""
        self._vault: Final = vault

    def count(self, shelf: Shelf) -> tuple[Counter[UUID], int]:
        """Requests by inbox, and bytes of a shelf; segments that cannot be opened at all are set aside."""
        counted: Counter[UUID] = Counter()
        size = 0
        for segment in shelf.segments():
            data = segment.read_bytes()
            start = self._start(shelf, segment, data)
            if start is None:
                segment.unlink()
                continue
            size += len(data)
            counted.update(piece.inbox_id for piece in frames.read(data, start[1]) if isinstance(piece, frames.Frame))
        return counted, size

    def read(self, shelf: Shelf, segment: Path, start: int, end: int | None) -> list[Found]:
        """What is there from `start` (0: its beginning) to `end` (None: its end)."""
        data = segment.read_bytes()[:end]
        head = self._start(shelf, segment, data)
        if head is None:
            return []
        cipher, begin = head
        found: list[Found] = []
        for piece in frames.read(data, max(start, begin)):
            request = None if isinstance(piece, frames.Damage) else _request(piece, cipher)
            if request is None or isinstance(piece, frames.Damage):
                self._aside(shelf, segment, data[:begin], data[piece.offset : piece.end], f"{piece.offset}.damaged")
            else:
                found.append((Kept(piece.inbox_id, piece.raw_id, request), Place(shelf, segment, piece)))
        return found

    def refuse(self, place: Place) -> None:
        """Set a request aside that the record does not take."""
        data = place.segment.read_bytes()
        start = frames.read_head(data)
        assert isinstance(start, frames.Head)  # noqa: S101 - it was read before
        piece = data[place.frame.offset : place.frame.end]
        self._aside(place.shelf, place.segment, data[: start.end], piece, f"{place.frame.offset}.refused")

    def _start(self, shelf: Shelf, segment: Path, data: bytes) -> tuple[AESGCM, int] | None:
        start = frames.read_head(data)
        if start is None:
            return None
        if isinstance(start, frames.Damage):
            self._aside(shelf, segment, b"", data, "0.damaged")
            return None
        try:
            return AESGCM(self._vault.unwrap(start.wrapped, CONTEXT)), start.end
        except Unsealable:
            self._aside(shelf, segment, b"", data, "0.locked")
            return None

    def _aside(self, shelf: Shelf, segment: Path, head: bytes, piece: bytes, what: str) -> None:
        path = shelf.set_aside(segment, head, piece, what)
        _LOG.error("spooled bytes set aside", file=str(path), bytes=len(piece))


def _request(piece: frames.Frame, cipher: AESGCM) -> InboundRequest | None:
    try:
        return opened(piece.sealed, piece.raw_id, cipher)
    except Unsealable:
        return None
