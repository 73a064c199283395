"""Which conversations and addresses the newest facts are about."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import orjson

from schemas.topics import Topic
from services.record.reader import Reader, Row

TOPICS: Final[tuple[Topic, ...]] = ("interactions", "cases", "outbound")
_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Changed:
    """Of one tenant, up to this position. `addresses` had interactions, receipts or calls.

    `is_late`: the read models do not have it yet, and are waited for no longer.
    """

    position: int = 0
    is_late: bool = False
    conversations: set[UUID] = field(default_factory=set[UUID])
    addresses: set[UUID] = field(default_factory=set[UUID])


class Changes:
    """Remembers to which conversation each of our messages belongs: only its first fact says so."""

    def __init__(self, reader: Reader) -> None:
        """`reader` reads what came before we did."""
        self._reader: Final = reader
        self._of_message: Final[OrderedDict[UUID, UUID | None]] = OrderedDict()

    async def of(self, rows: Sequence[Row]) -> dict[str, Changed]:
        """By tenant."""
        found: dict[str, Changed] = {}
        for row in rows:
            changed = found.setdefault(row.tenant, Changed())
            changed.position = row.position
            if row.topic == "interactions":
                changed.addresses.add(row.subject)
                continue
            of = row.subject if row.topic == "cases" else await self._conversation_of(row)
            if of is not None:
                changed.conversations.add(of)
        return found

    async def _conversation_of(self, row: Row) -> UUID | None:
        message_id = row.subject
        if row.type == "message.asked":
            self._remember(message_id, row.payload)
        elif message_id not in self._of_message:
            first = next(iter(await self._reader.streams([message_id])), None)
            if first is not None:
                self._remember(message_id, first.payload)
        return self._of_message.get(message_id)

    def _remember(self, message_id: UUID, asked: bytes) -> None:
        of = orjson.loads(asked).get("conversation_id")
        self._of_message[message_id] = None if of is None else UUID(of)
        if len(self._of_message) > _REMEMBERED:
            self._of_message.popitem(last=False)
