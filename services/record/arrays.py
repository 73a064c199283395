"""PostgreSQL's binary arrays, built by hand: psycopg's own list dumper takes 54 µs a row on the hot path."""

from collections.abc import Iterable
from datetime import datetime
from struct import Struct
from typing import Final
from uuid import UUID

_HEAD: Final = Struct("!iiIii").pack
_LENGTH: Final = Struct("!i").pack
_SIZED_INT2: Final = Struct("!ih").pack
_SIZED_INT4: Final = Struct("!ii").pack
_SIZED_INT8: Final = Struct("!iq").pack
_SIXTEEN: Final = _LENGTH(16)
_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH_2000: Final = 946_684_800_000_000
_ORDINAL_2000: Final = 730_120
# Object ids of the elements' types (pg_type.dat).
_BYTEA: Final = 17
_SMALLINT: Final = 21
_TEXT: Final = 25
_DATE: Final = 1082
_TIMESTAMPTZ: Final = 1184
_UUID: Final = 2950


def uuids(values: Iterable[UUID | None]) -> bytes:
    """uuid[] of these values."""
    # What UUID.bytes does, without a call for each.
    return _joined(_UUID, [_NULL if value is None else _SIXTEEN + value.int.to_bytes(16) for value in values])


def texts(values: Iterable[str | None]) -> bytes:
    """text[] of these values; a NUL or a lone surrogate is refused by PostgreSQL or by UTF-8."""
    given = list(values)
    # Of a thousand rows few differ in these: tenants, topics, types.
    encoded = {value: None if value is None else value.encode() for value in set(given)}
    written = {value: _NULL if item is None else _LENGTH(len(item)) + item for value, item in encoded.items()}
    return _joined(_TEXT, [written[value] for value in given])


def blobs(values: Iterable[bytes | None]) -> bytes:
    """bytea[] of these values."""
    return _joined(_BYTEA, [_NULL if value is None else _LENGTH(len(value)) + value for value in values])


def times(values: Iterable[datetime]) -> bytes:
    """timestamptz[] of these aware times."""
    items = [_SIZED_INT8(8, round(value.timestamp() * 1_000_000) - _EPOCH_2000) for value in values]
    return _joined(_TIMESTAMPTZ, items)


def smalls(values: Iterable[int]) -> bytes:
    """smallint[] of these values."""
    return _joined(_SMALLINT, [_SIZED_INT2(2, value) for value in values])


def dates(ordinals: Iterable[int]) -> bytes:
    """date[] of days given as `date.toordinal()`."""
    return _joined(_DATE, [_SIZED_INT4(4, ordinal - _ORDINAL_2000) for ordinal in ordinals])


def _joined(element: int, items: list[bytes]) -> bytes:
    return _HEAD(1, 1, element, len(items), 1) + b"".join(items)
