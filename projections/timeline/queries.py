"""What may be asked of the timeline. Call within `projections.generation.reading`."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

_COLUMNS: Final = """
    SELECT interaction_id, event_id, revision, i.position, address_id, inbox_id, j.conversation_id, kind, direction,
        channel, automatic, assurance, occurred_at, recorded_at, i.effective_at, address, subject, body AS text,
        full_text, attachments::text AS attachments_json, attachment_names::text AS names_json, delivery_state,
        delivery_at, delivery_why, delivery_hold_until, call_state, call_duration_seconds,
        call_legs::text AS legs_json, agent_id
    FROM interactions AS i """
_ITEMS: Final = (
    _COLUMNS + "LEFT JOIN joined AS j USING (tenant, interaction_id) WHERE tenant = %(tenant)s AND NOT withdrawn"
)
_IN_CONVERSATION: Final = (
    _COLUMNS
    + """JOIN joined AS j USING (tenant, interaction_id)
    WHERE tenant = %(tenant)s AND j.conversation_id = %(conversation_id)s AND NOT withdrawn """
)
_BACKWARDS: Final = (
    _IN_CONVERSATION
    + """AND (j.effective_at, j.item_position) < (%(at)s, %(position)s::bigint)
    ORDER BY j.effective_at DESC, j.item_position DESC LIMIT %(limit)s"""
)
_FORWARDS: Final = (
    _IN_CONVERSATION
    + """AND (j.effective_at, j.item_position) > (%(at)s, %(position)s::bigint)
    ORDER BY j.effective_at, j.item_position LIMIT %(limit)s"""
)
_THE_END: Final = (datetime.max.replace(tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Item:
    """One interaction. Personal fields are None once the address is erased.

    `text` is what the person wrote, `full_text` also what they quoted. `assurance` says how sure it is that they did.
    A message of ours has the id of the message, the customer's `address_id`, and the address that it goes to; until
    it is decided where, the one that asked, and a `channel` that may be empty. `agent_id` is None where no agent wrote.
    `delivery_why` is a sentence for what went wrong, `delivery_hold_until` the time before which nothing is sent.
    """

    interaction_id: UUID
    event_id: UUID
    revision: int
    position: int
    address_id: UUID
    inbox_id: UUID | None
    conversation_id: UUID | None
    kind: str
    direction: str
    channel: str
    automatic: str
    assurance: str
    occurred_at: datetime
    recorded_at: datetime
    effective_at: datetime
    address: str | None
    subject: str | None
    text: str | None
    full_text: str | None
    attachments_json: str | None
    names_json: str | None
    delivery_state: str | None
    delivery_at: datetime | None
    delivery_why: str | None
    delivery_hold_until: datetime | None
    call_state: str | None
    call_duration_seconds: int | None
    legs_json: str | None
    agent_id: UUID | None

    @property
    def legs(self) -> list[dict[str, Any]]:
        """`leg_id`, `first_leg`, `state` and `duration_seconds` of each leg of a call, the first one first."""
        return json.loads(self.legs_json or "[]")

    @property
    def delivery(self) -> tuple[str, datetime] | None:
        """What became of a message of ours: state and since when."""
        if self.delivery_state is None or self.delivery_at is None:
            return None
        return self.delivery_state, self.delivery_at

    def attachments(self) -> list[dict[str, Any]]:
        """`attachment_id`, `name` (None once erased, or never given), `media_type`, `bytes` of each."""
        names = {one["attachment_id"]: one.get("name") for one in json.loads(self.names_json or "[]")}
        return [
            {
                "attachment_id": one["attachment_id"],
                "name": names.get(one["attachment_id"]),
                "media_type": one["media_type"],
                "bytes": one["bytes"],
            }
            for one in json.loads(self.attachments_json or "[]")
        ]


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many interactions a day had; erased ones count too."""

    day: date
    channel: str
    kind: str
    direction: str
    count: int


async def timeline(
    tx: AsyncConnection,
    tenant: str,
    address_id: UUID,
    *,
    limit: int,
    before: tuple[datetime, int] | None = None,
    kind: str | None = None,
    channel: str | None = None,
    direction: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Item]:
    """Newest first by (effective_at, position); `before` is that pair of the last item of the page before.

    `since` is included, `until` is not; both are compared with `effective_at`.
    """
    async with tx.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(
            _ITEMS
            + """
                AND address_id = %(address_id)s
                AND (%(at)s::timestamptz IS NULL OR (i.effective_at, i.position) < (%(at)s, %(position)s::bigint))
                AND (%(kind)s::text IS NULL OR kind = %(kind)s)
                AND (%(channel)s::text IS NULL OR channel = %(channel)s)
                AND (%(direction)s::text IS NULL OR direction = %(direction)s)
                AND (%(since)s::timestamptz IS NULL OR i.effective_at >= %(since)s)
                AND (%(until)s::timestamptz IS NULL OR i.effective_at < %(until)s)
            ORDER BY i.effective_at DESC, i.position DESC
            LIMIT %(limit)s
            """,
            {
                "tenant": tenant,
                "address_id": address_id,
                "at": None if before is None else before[0],
                "position": None if before is None else before[1],
                "kind": kind,
                "channel": channel,
                "direction": direction,
                "since": since,
                "until": until,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def interaction(tx: AsyncConnection, tenant: str, interaction_id: UUID) -> Item | None:
    """One interaction; None when this tenant has no such one."""
    found = await interactions(tx, tenant, [interaction_id])
    return found[0] if found else None


async def interactions(tx: AsyncConnection, tenant: str, ids: Collection[UUID]) -> list[Item]:
    """Those of these that this tenant has, in any order."""
    async with tx.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(
            _ITEMS + " AND interaction_id = ANY(%(ids)s)",
            {"tenant": tenant, "ids": list(ids)},
        )
        return await cursor.fetchall()


async def referred(tx: AsyncConnection, tenant: str, event_ids: tuple[UUID, UUID]) -> list[Item]:
    """Those made by an event between these two, both included: what a reference means, mostly one."""
    async with tx.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(
            _ITEMS + " AND event_id BETWEEN %(lowest)s AND %(highest)s LIMIT 50",
            {"tenant": tenant, "lowest": event_ids[0], "highest": event_ids[1]},
        )
        return await cursor.fetchall()


async def conversation(
    tx: AsyncConnection,
    tenant: str,
    conversation_id: UUID,
    *,
    limit: int,
    before: tuple[datetime, int] | None = None,
    after: tuple[datetime, int] | None = None,
) -> list[Item]:
    """What belongs together, newest first, from the newest or from `before` on; with `after`, oldest first from there.

    Both are the (effective_at, position) of an item that is not shown again.
    """
    at, position = after or before or _THE_END
    async with tx.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(
            _BACKWARDS if after is None else _FORWARDS,
            {
                "tenant": tenant,
                "conversation_id": conversation_id,
                "at": at,
                "position": position,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def counts_per_day(tx: AsyncConnection, tenant: str, time_zone: str = "UTC") -> list[DayCount]:
    """Interactions per day of this time zone (an IANA name), by channel, kind and direction."""
    async with tx.cursor(row_factory=class_row(DayCount)) as cursor:
        await cursor.execute(
            """
            SELECT (effective_at AT TIME ZONE %s)::date AS day, channel, kind, direction, count(*)
            FROM interactions WHERE tenant = %s AND NOT withdrawn
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            """,
            (time_zone, tenant),
        )
        return await cursor.fetchall()
