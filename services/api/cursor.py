"""Where a page ended, as a text that callers hand back unread."""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

from services.api.problems import Problem

_FORM: Final = struct.Struct(">qq")
_CHECK: Final = struct.Struct(">I")
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encoded(at: datetime, number: int) -> str:
    """A time and the number that breaks ties, with a checksum: 27 letters that fit into a URL."""
    packed = _FORM.pack((at - _START) // _MICROSECOND, number)
    return urlsafe_b64encode(packed + _CHECK.pack(binascii.crc32(packed))).decode().rstrip("=")


def decoded(cursor: str) -> tuple[datetime, int]:
    """The pair again. Raises `Problem` (400) for a text that is no cursor of ours."""
    try:
        found = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        packed, (check,) = found[: _FORM.size], _CHECK.unpack(found[_FORM.size :])
        micros, number = _FORM.unpack(packed)
        at = _START + micros * _MICROSECOND
    except (ValueError, struct.error, OverflowError) as error:
        raise _foreign() from error
    if check != binascii.crc32(packed):
        raise _foreign()
    return at, number


def _foreign() -> Problem:
    return Problem(400, "This cursor is none of ours: take it from `next` unchanged.", code="bad_cursor")
