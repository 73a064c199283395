"""Conversations as rows of a list: what waits, since when, who has it, and what was said last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from projections.queues.queries import One, one, queue, some, taken
from projections.timeline.queries import Item, interactions
from schemas.conversation import ConversationState
from schemas.reference import reference
from services.desk.names import Names
from services.desk.views import Views

List = Literal["waiting", "mine", "answered", "closed"]
LISTS: Final[tuple[List, ...]] = ("waiting", "mine", "answered", "closed")
MOST_ROWS: Final = 100
SNIPPET: Final = 140


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation. `who` is the customer's address without its scheme, None once it is erased."""

    one: One
    reference: str | None
    address: str | None
    subject: str | None
    snippet: str | None
    last: Item | None
    taker: str | None

    @property
    def who(self) -> str | None:
        """As people write it."""
        return None if self.address is None else self.address.partition(":")[2]

    def told(self) -> dict[str, Any]:
        """What a list needs to know to put it in its place."""
        return {
            "id": str(self.one.conversation_id),
            "state": self.one.state,
            "taken_by": None if self.one.taken_by is None else str(self.one.taken_by),
            "since_at": self.one.since_at.isoformat(),
            "number": self.one.opened_position,
            "address_id": str(self.one.address_id),
            "position": self.one.position,
        }


class Rows:
    """Reads them. One per process."""

    def __init__(self, views: Views, names: Names) -> None:
        """Where they are, and what agents are called."""
        self._views: Final = views
        self._names: Final = names

    async def list(
        self, tenant: str, which: List, agent_id: UUID, after: tuple[datetime, int] | None = None
    ) -> Sequence[Row]:
        """At most MOST_ROWS, the longest in their state first; `after` as in `queries.queue`. Raises `NotServed`."""
        async with self._views.queues(tenant) as tx:
            if which == "mine":
                found = await taken(tx, tenant, agent_id, limit=MOST_ROWS)
            else:
                state: ConversationState = which
                found = await queue(tx, tenant, state, limit=MOST_ROWS, after=after)
        return await self._shown(tenant, found)

    async def some(self, tenant: str, ids: Collection[UUID]) -> Sequence[Row]:
        """Those of these that this tenant has. Raises `NotServed`."""
        if not ids:
            return []
        async with self._views.queues(tenant) as tx:
            found = await some(tx, tenant, ids)
        return await self._shown(tenant, found)

    async def one(self, tenant: str, conversation_id: UUID) -> Row | None:
        """None when this tenant has no such one. Raises `NotServed`."""
        async with self._views.queues(tenant) as tx:
            found = await one(tx, tenant, conversation_id)
        return None if found is None else (await self._shown(tenant, [found]))[0]

    async def _shown(self, tenant: str, found: Sequence[One]) -> Sequence[Row]:
        ids = {wanted for each in found for wanted in (each.first_interaction_id, each.last_interaction_id)}
        said: dict[UUID, Item] = {}
        if ids:
            async with self._views.timeline(tenant) as tx:
                said = {item.interaction_id: item for item in await interactions(tx, tenant, ids)}
        names = await self._names.of(tenant, [each.taken_by for each in found])
        return [_row(each, said, names) for each in found]


def _row(found: One, said: dict[UUID, Item], names: dict[UUID, str]) -> Row:
    first, last = said.get(found.first_interaction_id), said.get(found.last_interaction_id)
    text = None if last is None else last.text
    return Row(
        one=found,
        reference=None if first is None else reference(first.event_id),
        address=None if first is None else first.address,
        subject=None if first is None else first.subject,
        snippet=None if text is None else " ".join(text[: 2 * SNIPPET].split())[:SNIPPET],
        last=last,
        taker=None if found.taken_by is None else names.get(found.taken_by),
    )
