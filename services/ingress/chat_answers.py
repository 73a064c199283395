"""What we say in chats: messages that were handed off to a widget, read from the streams of their decisions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

import structlog

from channels.chat.widget import CHANNEL
from schemas.event import AnyFact, Undecodable
from schemas.outbound import MessageAsked, MessageHandedOff, MessageResolved
from services.keys.ring import Ring
from services.keys.vault import Unsealable
from services.record.reader import Reader, Row, event_of

_log: Final = structlog.get_logger("chat")


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of ours, said to the visitor of this `address`; `asked_at` is the address that it was asked for."""

    tenant: str
    message_id: UUID
    address_id: UUID
    asked_at: str
    address: str
    text: str
    position: int
    occurred_at: datetime


def answer_of(rows: Sequence[Row]) -> Answer | None:
    """What the stream of a message tells; None if it was not handed off to a widget, or its words are erased.

    A message may be resolved twice: it is the way that was in force when it was handed off that counts.

    Raises:
        Undecodable: a fact of a newer version.
    """
    asked: MessageAsked | None = None
    way: MessageResolved | None = None
    for row in rows:
        fact: AnyFact = event_of(row).fact
        if isinstance(fact, MessageAsked):
            asked = fact
        elif isinstance(fact, MessageResolved):
            way = fact
        elif isinstance(fact, MessageHandedOff) and way is not None and way.channel == CHANNEL:
            return _handed_off(row, asked, way)
    return None


def _handed_off(row: Row, asked: MessageAsked | None, way: MessageResolved) -> Answer | None:
    if asked is None or asked.personal is None or way.personal is None or way.personal.address is None:
        return None
    return Answer(
        tenant=row.tenant,
        message_id=asked.message_id,
        address_id=asked.address_id,
        asked_at=asked.personal.address,
        address=way.personal.address,
        text=asked.personal.text,
        position=row.position,
        occurred_at=row.occurred_at,
    )


class Answers:
    """Finds whose threads messages belong to."""

    def __init__(self, reader: Reader, ring: Ring) -> None:
        """The reader may read decisions."""
        self._reader: Final = reader
        self._ring: Final = ring

    async def threads(self, message_ids: Collection[UUID]) -> list[tuple[Answer, UUID]]:
        """The answers among these, each with the address_id of its visitor; none for a visitor who was erased.

        One that cannot be read is left out, and told to the log: it must not hold up everybody's chats.

        Raises:
            psycopg.OperationalError: the record or the keys are away.
        """
        found = [answer for rows in await self._streams(message_ids) if (answer := _readable(rows)) is not None]
        threads = [(answer, await self._thread(answer)) for answer in found]
        return [(answer, thread) for answer, thread in threads if thread is not None]

    async def _thread(self, answer: Answer) -> UUID | None:
        if answer.address == answer.asked_at:
            return answer.address_id
        subject = await self._ring.find(answer.tenant, answer.address)
        return None if subject is None else subject.address_id

    async def _streams(self, message_ids: Collection[UUID]) -> list[list[Row]]:
        try:
            rows = await self._reader.streams(message_ids)
        except Unsealable as error:
            if len(message_ids) == 1:
                _log.error("chat.unsealable", message_id=str(*message_ids), error=str(error))
                return []
            return [rows for one in message_ids for rows in await self._streams([one])]
        by_stream = sorted(rows, key=attrgetter("subject", "position"))
        return [list(stream) for _, stream in groupby(by_stream, key=attrgetter("subject"))]


def _readable(rows: Sequence[Row]) -> Answer | None:
    try:
        return answer_of(rows)
    except Undecodable as error:
        _log.warning("chat.undecodable", message_id=str(rows[0].subject), error=str(error))
        return None
