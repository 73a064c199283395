"""One log, two sources: what the relay published on topics, and the record itself. Both yield entries by position."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final, Protocol

from aiokafka import ConsumerRecord

from schemas.event import Event, Undecodable
from services.cloudevents import from_headers, position_of, previous_of
from services.record.reader import Reader, Row, event_of
from services.topics import partition_of

FROM_RECORD: Final = -1
"""The offset of an entry that was not read from a topic."""


class Entry(Protocol):
    """One place in the log. `position` and `previous` are None on a record that nobody of ours wrote."""

    @property
    def topic(self) -> str:
        """Without the installation's prefix."""
        ...

    @property
    def partition(self) -> int:
        """The partition that the relay publishes it to, from either source."""
        ...

    @property
    def offset(self) -> int:
        """Where it is in its partition; `FROM_RECORD` when it was read from the record."""
        ...

    @property
    def position(self) -> int | None:
        """Its number in the record."""
        ...

    @property
    def previous(self) -> int | None:
        """The highest position that may precede it in its partition; None when its source leaves nothing out."""
        ...

    @property
    def tenant(self) -> str:
        """Whose it is; empty when that cannot be read."""
        ...

    @property
    def traceparent(self) -> str | None:
        """The trace that it belongs to (W3C)."""
        ...

    def event(self) -> Event:
        """The event itself.

        Raises:
            Undecodable: it is poison: no fact that this version knows.
        """
        ...

    def digest(self) -> bytes:
        """SHA-256 of its bytes: names it without showing it."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """A record of a topic. Reading its position takes a microsecond, so that duplicates cost nothing."""

    record: ConsumerRecord[bytes, bytes]
    topic: str
    position: int | None
    previous: int | None
    claimed: Row | None = None

    @property
    def partition(self) -> int:
        """The partition that it was read from."""
        return self.record.partition

    @property
    def offset(self) -> int:
        """Its offset there."""
        return self.record.offset

    @property
    def tenant(self) -> str:
        """From its headers."""
        # Kafka allows a header without a value.
        found = next((value for name, value in self.record.headers if name == "ce_tenant"), None)
        return str(found or b"", "utf-8", "replace")

    @property
    def traceparent(self) -> str | None:
        """From its headers."""
        found = next((value for name, value in self.record.headers if name == "ce_traceparent"), None)
        return None if found is None else str(found, "utf-8", "replace")

    def event(self) -> Event:
        """Headers and value joined; raises Undecodable."""
        if self.position is None:
            raise Undecodable("it has no position of this record: something else writes to our topic")
        if self.claimed is not None:
            return event_of(self.claimed)
        return event_of(from_headers(self.topic, self.record.headers, self.record.value))

    def digest(self) -> bytes:
        """SHA-256 of the value."""
        return hashlib.sha256(self.record.value or b"").digest()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the record. `partitions` is how many the topic has or would have."""

    row: Row
    partitions: int
    previous: None = None
    offset: int = FROM_RECORD

    @property
    def partition(self) -> int:
        """As the relay chooses it: murmur2 of the subject."""
        return partition_of(str(self.row.subject).encode(), self.partitions)

    @property
    def topic(self) -> str:
        """As recorded."""
        return self.row.topic

    @property
    def position(self) -> int:
        """As recorded."""
        return self.row.position

    @property
    def tenant(self) -> str:
        """As recorded."""
        return self.row.tenant

    @property
    def traceparent(self) -> str | None:
        """As recorded."""
        return self.row.traceparent

    def event(self) -> Event:
        """The fact read from its payload; raises Undecodable."""
        return event_of(self.row)

    def digest(self) -> bytes:
        """SHA-256 of the payload, the same bytes as on the topic."""
        return hashlib.sha256(self.row.payload).digest()


def published(record: ConsumerRecord[bytes, bytes], prefix: str) -> Published:
    """Wrap a record as it came; never raises, whatever is in it."""
    headers = record.headers
    try:
        position = position_of(headers)
    except Undecodable:
        return Published(record, record.topic.removeprefix(prefix), None, None)
    try:
        previous = previous_of(headers)
    except Undecodable:
        previous = None
    return Published(record, record.topic.removeprefix(prefix), position, previous)


def owned(entry: Published, head: int) -> Published:
    """The entry, without its position when that is none of a record which ends at `head`.

    Believed, such a position would make all that comes after look old.
    """
    if entry.position is None or 0 < entry.position <= head:
        return entry
    return replace(entry, position=None, previous=None)


async def claim(entry: Published, reader: Reader) -> Published:
    """Fetch what was too large for the broker (its value is empty) from the record; others are returned as they are."""
    if entry.record.value or entry.position is None:
        return entry
    rows = await reader.read(entry.position - 1, 1)
    if rows and rows[0].position == entry.position:
        return replace(entry, claimed=rows[0])
    return entry
