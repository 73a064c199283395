"""What a message goes on with: the reference of its conversation, and the mails before it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from channels.email.thread import answering
from channels.sending import Thread
from schemas.interaction import Content, InteractionReceived
from schemas.reference import reference
from services.record.facts_below import FactsBelow
from services.record.reader import event_of

NOTHING: Final = Thread()
_BEGINNINGS: Final = """
    SELECT originator_id, causation_id FROM record.decisions
    WHERE originator_id = ANY(%s) AND originator_version = 1 AND causation_id IS NOT NULL"""
_LAST_MESSAGES: Final = """
    SELECT DISTINCT ON (originator_id) originator_id, tenant, causation_id, position FROM record.decisions
    WHERE originator_id = ANY(%s) AND type IN ('conversation.opened', 'conversation.joined')
        AND causation_id IS NOT NULL AND position('"brought":"message"'::bytea IN state) > 0
    ORDER BY originator_id, originator_version DESC"""


@dataclass(frozen=True, slots=True)
class Before:
    """Of one conversation. `reference` is that of the interaction that began it."""

    reference: str
    thread: Thread = NOTHING


async def before(
    connection: AsyncConnection, facts: FactsBelow, conversations: Collection[UUID], mailed: Collection[UUID]
) -> Mapping[UUID, Before]:
    """By conversation; threads for those that are answered by mail."""
    found: dict[UUID, Before] = {}
    if not conversations:
        return found
    last: list[tuple[UUID, str, UUID, int]] = []
    rows = await (await connection.execute(_BEGINNINGS, (list(conversations),), binary=True)).fetchall()
    for conversation_id, event_id in rows:
        found[conversation_id] = Before(reference(event_id))
    if mailed:
        last = await (await connection.execute(_LAST_MESSAGES, (list(mailed),), binary=True)).fetchall()
    for conversation_id, tenant, event_id, position in last:
        row = await facts.by_id(tenant, event_id, position)
        fact = None if row is None else event_of(row).fact
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
