"""Which partitions lack records, and from where they are published again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from services.relay.content import Held


@dataclass(frozen=True, slots=True)
class Plan:
    """`holds`: the last position up to which each partition is whole. `purge`: emptied first, up to this offset.

    `lacking` are the partitions that hold less than they should; `after` is where reading the record begins.
    """

    holds: dict[TopicPartition, int]
    lacking: dict[TopicPartition, int]
    purge: dict[TopicPartition, int]
    after: int


def plan(held: Mapping[TopicPartition, Held], noted: Mapping[TopicPartition, int], position: int, floor: int) -> Plan:
    """Compare what the broker holds with what is noted.

    `position` is the cursor; `floor` the last position that is older than the topics' retention: what is at or below it
    may be gone, and is not brought back.
    """
    holds = {partition: _whole_up_to(found, noted.get(partition, 0), floor) for partition, found in held.items()}
    lacking = {partition: whole for partition, whole in holds.items() if whole < noted.get(partition, 0)}
    purge = {partition: held[partition].end for partition in lacking if _has_only_later(held[partition], floor)}
    return Plan(holds, lacking, purge, min([position, *lacking.values()]))


def _whole_up_to(held: Held, noted: int, floor: int) -> int:
    oldest = min(floor, noted)
    if held.trusted <= held.start or _has_only_later(held, floor):
        return oldest
    # A last record that somebody else wrote tells nothing: then the note is believed.
    return noted if held.last is None else max(oldest, min(held.last, noted))


def _has_only_later(held: Held, floor: int) -> bool:
    """The topic was made anew and written before anybody saw it: its records would hide the older ones from readers."""
    if held.end <= held.start:
        return False
    return held.trusted <= held.start or (held.before_first is not None and held.before_first > floor)
