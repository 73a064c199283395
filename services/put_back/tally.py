"""What became of each event that was found on the wire."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Line:
    """One topic: what was read, what the record had, what was put back, and how many were left out for which reason."""

    read: int = 0
    already_there: int = 0
    put_back: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class Tally:
    """By topic, without the installation's prefix; `inboxes` counts the facts of each that were put back."""

    topics: dict[str, Line] = field(default_factory=lambda: defaultdict[str, Line](Line))
    inboxes: Counter[UUID] = field(default_factory=Counter[UUID])
    settled: set[UUID] = field(default_factory=set[UUID])
    """Streams of tenants and inboxes to which decisions were put back."""
    without_person: int = 0
    """Facts that were put back without their personal part: the address is erased."""
    new_keys: set[UUID] = field(default_factory=set[UUID])
    """Addresses whose key was lost, and is another one now."""
    erased_again: int = 0
    not_yet_erased: list[UUID] = field(default_factory=list[UUID])
