"""How requests lie in a segment: a head with the segment's own wrapped key, then frames, each with its checksums.

A write that a crash cut short ends the file before its frame does: that request was never acknowledged, and is
dropped. Anything else that does not fit its checksum was acknowledged once, and is told as damage.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

_MAGIC: Final = b"tamas spool 1\n\r\n"
_LENGTH: Final = struct.Struct(">I")
_MARK: Final = b"\xf5\x00Tf"
_FRAME: Final = struct.Struct(">4sIII")
"""Mark, length of the body, CRC-32 of the body, CRC-32 of the twelve bytes before it."""
_IDS_BYTES: Final = 32


class Head(NamedTuple):
    """The start of a segment; frames begin at `end`."""

    wrapped: bytes
    end: int


class Frame(NamedTuple):
    """A request: its bytes in the segment are [offset, end)."""

    offset: int
    end: int
    inbox_id: UUID
    raw_id: UUID
    sealed: bytes


class Damage(NamedTuple):
    """Bytes of a segment that are not what was written."""

    offset: int
    end: int


def head(wrapped: bytes) -> bytes:
    """The first bytes of a segment."""
    start = _MAGIC + _LENGTH.pack(len(wrapped)) + wrapped
    return start + _LENGTH.pack(zlib.crc32(start))


def read_head(data: bytes) -> Head | Damage | None:
    """None when the file ends within it: nothing was ever acknowledged from there."""
    fixed = len(_MAGIC) + _LENGTH.size
    if not data.strip(b"\0") or (len(data) < fixed and _MAGIC.startswith(data[: len(_MAGIC)])):
        return None
    end = fixed + int.from_bytes(data[len(_MAGIC) : fixed], "big")
    whole = data[: end + _LENGTH.size]
    if data.startswith(_MAGIC) and _LENGTH.pack(zlib.crc32(whole[:end])) == whole[end:]:
        return Head(whole[fixed:end], len(whole))
    is_torn = data.startswith(_MAGIC) and len(data) < fixed + _LENGTH.size + _LONGEST_KEY
    return None if is_torn else Damage(0, len(data))


_LONGEST_KEY: Final = 60
"""A wrapped key: nonce, 32 bytes, tag."""


def frame(inbox_id: UUID, raw_id: UUID, sealed: bytes) -> bytes:
    """One request, ready to be written."""
    body = inbox_id.bytes + raw_id.bytes + sealed
    start = _FRAME.pack(_MARK, len(body), zlib.crc32(body), 0)[:-4]
    return start + _LENGTH.pack(zlib.crc32(start)) + body


def read(data: bytes, offset: int = 0) -> Iterator[Frame | Damage]:
    """What is in the segment from there on; a torn tail is not told."""
    while offset < len(data):
        found = _frame(data, offset)
        if isinstance(found, Frame):
            yield found
            offset = found.end
            continue
        if found == _TORN:
            return
        end = _next(data, offset + 1)
        yield Damage(offset, end)
        offset = end


def count(file: BinaryIO) -> int:
    """How many requests a segment has, by the heads of its frames alone; bodies are read only behind damage."""
    start = read_head(file.read(len(_MAGIC) + 2 * _LENGTH.size + _LONGEST_KEY))
    if not isinstance(start, Head):
        return 0
    size, offset, counted = file.seek(0, os.SEEK_END), start.end, 0
    while offset + _FRAME.size <= size:
        file.seek(offset)
        head_bytes = file.read(_FRAME.size)
        mark, length, _, start_sum = _FRAME.unpack(head_bytes)
        if mark != _MARK or zlib.crc32(head_bytes[:-4]) != start_sum:
            file.seek(0)
            return counted + sum(isinstance(piece, Frame) for piece in read(file.read(), offset))
        offset += _FRAME.size + length
        counted += offset <= size
    return counted


_TORN: Final = "torn"
_DAMAGED: Final = "damaged"


def _frame(data: bytes, offset: int) -> Frame | str:
    start = data[offset : offset + _FRAME.size]
    # What a file system had made room for, but not written when the power went, is zeros.
    if len(start) < _FRAME.size or not (start.strip(b"\0") or data[offset:].strip(b"\0")):
        return _TORN
    mark, length, body_sum, start_sum = _FRAME.unpack(start)
    if mark != _MARK or zlib.crc32(start[:-4]) != start_sum or length < _IDS_BYTES:
        return _DAMAGED
    begin, end = offset + _FRAME.size, offset + _FRAME.size + length
    if end > len(data):
        return _TORN
    body = data[begin:end]
    if zlib.crc32(body) != body_sum:
        return _DAMAGED
    return Frame(offset, end, UUID(bytes=body[:16]), UUID(bytes=body[16:_IDS_BYTES]), body[_IDS_BYTES:])


def _next(data: bytes, offset: int) -> int:
    """Where a frame begins again, or the end."""
    while (at := data.find(_MARK, offset)) >= 0:
        start = data[at : at + _FRAME.size]
        if len(start) == _FRAME.size and _LENGTH.pack(zlib.crc32(start[:-4])) == start[-4:]:
            return at
        offset = at + 1
    return len(data)
