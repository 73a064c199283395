"""A batch on its way into the read models: what is new in it, what it moves, and what is set aside."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from schemas.event import Event, Undecodable
from services.log_reader import FROM_RECORD, Entry
from services.projector.positions import At, Place
from services.settings import Misconfigured

_BREATH: Final = 200
_REASON_LENGTH: Final = 500


class UnknownPartition(Misconfigured):
    """A topic has more partitions than TAMAS_TOPIC_PARTITIONS says: set it to what the topics have."""


class Gap(Exception):
    """What comes between our position and these entries is not among them: read it from the record."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One entry set aside. With a subject: because of a bug of ours; without: poison."""

    entry: Entry
    reason: str
    subject: UUID | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one source. `upto` is set on those from the record: with them, everything up to there is in."""

    entries: Sequence[Entry]
    upto: int | None = None

    def halves(self) -> tuple["Batch", "Batch"]:
        """The earlier and the later half."""
        middle = len(self.entries) // 2
        first, second = self.entries[:middle], self.entries[middle:]
        return Batch(first, None if self.upto is None else first[-1].position), Batch(second, self.upto)

    def fresh(self, at: Mapping[Place, At], *, gaps: bool = False) -> "Batch":
        """Without what is in already. With `gaps`, whatever comes next counts as following.

        Raises:
            Gap: something between is missing.
        """
        if self.upto is None:
            return Batch(_unread(self.entries, at, gaps=gaps))
        highest = max(place.position for place in at.values())
        return Batch([entry for entry in self.entries if _is_new(entry, at, highest)], self.upto)

    def moves(self, at: Mapping[Place, At]) -> dict[Place, At]:
        """Where the positions are with this (fresh) batch."""
        if self.upto is not None:
            return {place: At(self.upto) for place, held in at.items() if held.position < self.upto}
        return {
            (entry.topic, entry.partition): At(entry.position, entry.offset)
            for entry in self.entries
            if entry.position is not None
        }


def _is_new(entry: Entry, at: Mapping[Place, At], highest: int) -> bool:
    position = entry.position or 0
    return position > highest or position > _position(at, (entry.topic, entry.partition))


def _position(at: Mapping[Place, At], place: Place) -> int:
    held = at.get(place)
    if held is None:
        raise UnknownPartition(
            f"the topic {place[0]} has a partition {place[1]}, which TAMAS_TOPIC_PARTITIONS does not allow for: "
            "set it to the number of partitions that the topics have"
        )
    return held.position


def _unread(entries: Iterable[Entry], at: Mapping[Place, At], *, gaps: bool) -> list[Entry]:
    reached: dict[Place, int] = {}
    unread: list[Entry] = []
    for entry in entries:
        if entry.position is None:
            unread.append(entry)
            continue
        place = (entry.topic, entry.partition)
        before = reached.get(place, _position(at, place))
        if entry.position <= before:
            continue
        if not gaps and entry.previous is not None and entry.previous > before:
            raise Gap
        reached[place] = entry.position
        unread.append(entry)
    return unread


async def decode(entries: Iterable[Entry], held: AbstractSet[UUID]) -> tuple[list[Event], list[Parked]]:
    """The events, and what cannot be or must not be applied. `held` are subjects whose sequence is parked."""
    events: list[Event] = []
    parked: list[Parked] = []
    for number, entry in enumerate(entries):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        try:
            event = entry.event()
        except Undecodable as error:
            parked.append(Parked(entry, str(error)))
            continue
        if event.subject in held:
            parked.append(Parked(entry, "an earlier event of the same subject is parked", event.subject))
        else:
            events.append(event)
    return events, parked


async def park(tx: AsyncConnection, projection_set: str, parked: Sequence[Parked]) -> None:
    """Write down what is set aside, in the transaction that moves the position past it."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO views.parked
                (projection_set, topic, partition, record_offset, position, subject, reason, payload_digest)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [
                (
                    projection_set,
                    one.entry.topic,
                    one.entry.partition,
                    FROM_RECORD if one.entry.position is not None else one.entry.offset,
                    one.entry.position or 0,
                    one.subject,
                    one.reason[:_REASON_LENGTH],
                    one.entry.digest(),
                )
                for one in parked
            ],
        )


async def held_subjects(connection: AsyncConnection, projection_set: str) -> set[UUID]:
    """Subjects of which an event is parked because of a bug: what follows has to wait behind it."""
    cursor = await connection.execute(
        "SELECT DISTINCT subject FROM views.parked WHERE projection_set = %s AND subject IS NOT NULL", (projection_set,)
    )
    return {row[0] for row in await cursor.fetchall()}
