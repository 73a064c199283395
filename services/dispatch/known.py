"""What one turn of dispatch has to know and what it changes: a piece of its tables in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from schemas.interaction import DeliveryState
from services.dispatch.states import Asked, OnCourse

Kept = Asked | OnCourse
"""States that more can become of: the others need no row."""


@dataclass(frozen=True, slots=True)
class Held:
    """A message after `version` facts. `place` is where it was asked for, `to_id` whom its last attempt went to."""

    tenant: str
    version: int
    place: int
    state: Kept
    to_id: UUID | None = None
    started_at: datetime | None = None
    fallback_at: datetime | None = None

    @property
    def course_inbox(self) -> UUID | None:
        """The inbox that it goes through."""
        return None if isinstance(self.state, Asked) else self.state.course.way.inbox_id


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reported, by the name that it has for the message; `address_id` is whom it speaks of."""

    receipts_as: UUID
    state: DeliveryState
    code: str | None
    address_id: UUID
    inbox_id: UUID
    recorded_at: datetime


@dataclass(slots=True)
class Known:
    """Filled by `table.load`, changed by a turn, and written by `table.saver`."""

    messages: dict[UUID, Held] = field(default_factory=dict[UUID, Held])
    handoffs: dict[UUID, tuple[UUID, int]] = field(default_factory=dict[UUID, tuple[UUID, int]])
    early: dict[UUID, list[Receipt]] = field(default_factory=dict[UUID, list[Receipt]])
    changed: set[UUID] = field(default_factory=set[UUID])
    gone: set[UUID] = field(default_factory=set[UUID])
    new_handoffs: set[UUID] = field(default_factory=set[UUID])
    put_early: list[Receipt] = field(default_factory=list[Receipt])
    taken_early: set[UUID] = field(default_factory=set[UUID])

    def put(self, message_id: UUID, held: Held) -> None:
        """The message is this now."""
        self.messages[message_id] = held
        self.changed.add(message_id)
        self.gone.discard(message_id)

    def early_of(self, receipts_as: UUID) -> list[Receipt]:
        """What was reported under this name before anybody knew it, also in this turn; it waits no longer."""
        now = [one for one in self.put_early if one.receipts_as == receipts_as]
        if now:
            self.put_early = [one for one in self.put_early if one.receipts_as != receipts_as]
        return self.early.pop(receipts_as, []) + now

    def end(self, message_id: UUID) -> None:
        """Nothing more can become of it."""
        self.messages.pop(message_id, None)
        self.changed.discard(message_id)
        self.gone.add(message_id)
