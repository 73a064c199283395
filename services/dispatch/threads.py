"""What a message goes on with: the reference of its conversation, and the mails before it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from channels.email.thread import answering
from channels.sending import Thread
from schemas.interaction import Content, InteractionReceived
from schemas.reference import reference
from services.record.reader import Reader, event_of

NOTHING: Final = Thread()
_BEGINNINGS: Final = """
    SELECT originator_id, causation_id FROM record.decisions
    WHERE originator_id = ANY(%s) AND originator_version = 1 AND causation_id IS NOT NULL"""
# Facts have no index by event; a conversation's decision stands shortly behind the fact that it was made on, so the
# way back along the positions is short.
_LAST_MESSAGES: Final = """
    SELECT wanted.conversation_id, heard.position
    FROM unnest(%s::uuid[]) AS wanted (conversation_id)
    CROSS JOIN LATERAL (
        SELECT causation_id, position FROM record.decisions
        WHERE originator_id = wanted.conversation_id AND type IN ('conversation.opened', 'conversation.joined')
            AND causation_id IS NOT NULL AND position('"brought":"message"'::bytea IN state) > 0
        ORDER BY originator_version DESC LIMIT 1) AS decided
    CROSS JOIN LATERAL (
        SELECT position FROM record.facts AS f
        WHERE f.position < decided.position AND f.event_id = decided.causation_id
        ORDER BY f.position DESC LIMIT 1) AS heard"""


@dataclass(frozen=True, slots=True)
class Before:
    """Of one conversation. `reference` is that of the interaction that began it."""

    reference: str
    thread: Thread = NOTHING


async def before(
    pool: AsyncConnectionPool, reader: Reader, conversations: Collection[UUID], mailed: Collection[UUID]
) -> Mapping[UUID, Before]:
    """By conversation; threads for those that are answered by mail."""
    found: dict[UUID, Before] = {}
    if not conversations:
        return found
    positions: dict[int, UUID] = {}
    async with pool.connection() as connection:
        rows = await (await connection.execute(_BEGINNINGS, (list(conversations),), binary=True)).fetchall()
        for conversation_id, event_id in rows:
            found[conversation_id] = Before(reference(event_id))
        if mailed:
            rows = await (await connection.execute(_LAST_MESSAGES, (list(mailed),), binary=True)).fetchall()
            positions = {position: conversation_id for conversation_id, position in rows}
    for row in await reader.rows_at(positions) if positions else []:
        fact, conversation_id = event_of(row).fact, positions[row.position]
        if isinstance(fact, InteractionReceived) and isinstance(fact.personal, Content):
            known = found.get(conversation_id)
            found[conversation_id] = Before("" if known is None else known.reference, _thread(fact.personal))
    return found


def _thread(said: Content) -> Thread:
    chain = answering(said.message_id, said.in_reply_to, said.references)
    return Thread(
        subject=said.subject,
        in_reply_to=None if said.message_id is None else f"<{said.message_id}>",
        references=tuple(f"<{one}>" for one in chain),
    )
