"""What may be asked of the queues. Call within `projections.generation.reading`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from schemas.conversation import ConversationState, WaitsFor

Turn = Literal["ours", "customer"]
_TURNS: Final[dict[ConversationState, Turn]] = {"waiting": "ours", "answered": "customer"}
_ONES: Final = """
    SELECT conversation_id, address_id, inbox_id, channel, opened_at, opened_position, first_interaction_id, position,
        state, since_at, waits_for, interactions, last_interaction_id, taken_by, failed_message_id
    FROM conversations WHERE tenant = %(tenant)s AND opened_position IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class One:
    """A conversation as it is now; `since_at` is when it came to be so.

    `failed_message_id` is a message of ours that did not arrive, until it is answered or closed again.
    """

    conversation_id: UUID
    address_id: UUID
    inbox_id: UUID | None
    channel: str
    opened_at: datetime
    opened_position: int
    first_interaction_id: UUID
    position: int
    state: ConversationState
    since_at: datetime
    waits_for: WaitsFor | None
    interactions: int
    last_interaction_id: UUID
    taken_by: UUID | None
    failed_message_id: UUID | None

    @property
    def turn(self) -> Turn | None:
        """Who is expected to speak."""
        return _TURNS.get(self.state)


async def queue(
    tx: AsyncConnection,
    tenant: str,
    state: ConversationState,
    *,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> list[One]:
    """Those in this state, the longest in it first; `after`: since_at and opened_position of the last one before."""
    async with tx.cursor(row_factory=class_row(One)) as cursor:
        await cursor.execute(
            _ONES
            + """
                AND state = %(state)s
                AND (%(at)s::timestamptz IS NULL OR (since_at, opened_position) > (%(at)s, %(number)s::bigint))
            ORDER BY since_at, opened_position LIMIT %(limit)s
            """,
            {
                "tenant": tenant,
                "state": state,
                "at": None if after is None else after[0],
                "number": None if after is None else after[1],
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def one(tx: AsyncConnection, tenant: str, conversation_id: UUID) -> One | None:
    """One conversation; None when this tenant has no such one."""
    async with tx.cursor(row_factory=class_row(One)) as cursor:
        await cursor.execute(
            _ONES + " AND conversation_id = %(conversation_id)s",
            {"tenant": tenant, "conversation_id": conversation_id},
        )
        return await cursor.fetchone()


async def some(tx: AsyncConnection, tenant: str, ids: Collection[UUID]) -> list[One]:
    """Those of these that this tenant has, in any order."""
    async with tx.cursor(row_factory=class_row(One)) as cursor:
        await cursor.execute(_ONES + " AND conversation_id = ANY(%(ids)s)", {"tenant": tenant, "ids": list(ids)})
        return await cursor.fetchall()


async def taken(tx: AsyncConnection, tenant: str, agent_id: UUID, *, limit: int) -> list[One]:
    """Those that this agent has, what waits for us first, the longest first."""
    async with tx.cursor(row_factory=class_row(One)) as cursor:
        await cursor.execute(
            _ONES
            + """ AND taken_by = %(agent_id)s
            ORDER BY state DESC, since_at, opened_position LIMIT %(limit)s""",
            {"tenant": tenant, "agent_id": agent_id, "limit": limit},
        )
        return await cursor.fetchall()
