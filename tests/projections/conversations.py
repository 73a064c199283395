"""Decisions on conversations for read models."""

from datetime import timedelta
from uuid import UUID

from schemas.conversation import (
    Brought,
    ConversationAnswered,
    ConversationClosed,
    ConversationFact,
    ConversationJoined,
    ConversationOpened,
    ConversationReopened,
    ConversationTaken,
)
from schemas.event import Event
from tests.projections.story import INBOX, NOON, TENANT, address_id, event, interaction_id


def conversation_id(number: int) -> UUID:
    return UUID(int=0xC0_0000 + number)


def _decided(position: int, fact: ConversationFact, tenant: str = TENANT) -> Event:
    made = event(position, fact, event_id=UUID(int=0xDE00_0000 + position), tenant=tenant)
    return Event(
        made.position, made.event_id, 1, tenant, "cases", fact.conversation_id, None, made.occurred_at,
        made.recorded_at, fact,
    )  # fmt: skip


def opened(
    position: int, of: int, interaction: int, *, brought: Brought = "message", tenant: str = TENANT, address: int = 1
) -> Event:
    fact = ConversationOpened(
        conversation_id=conversation_id(of),
        address_id=address_id(address),
        inbox_id=INBOX,
        channel="email/smtp",
        interaction_id=interaction_id(interaction),
        why="no_conversation",
        brought=brought,
        state="waiting",
        since_at=NOON + timedelta(seconds=position),
        waits_for="call_back" if brought == "missed_call" else "message",
    )
    return _decided(position, fact, tenant)


def joined(position: int, of: int, interaction: int, *, number: int) -> Event:
    fact = ConversationJoined(
        conversation_id=conversation_id(of),
        interaction_id=interaction_id(interaction),
        interactions=number,
        why="open_conversation",
        brought="message",
        state="waiting",
        since_at=NOON + timedelta(seconds=position),
        waits_for="message",
    )
    return _decided(position, fact)


def answered(position: int, of: int) -> Event:
    at = NOON + timedelta(seconds=position)
    return _decided(position, ConversationAnswered(conversation_id=conversation_id(of), since_at=at))


def taken(position: int, of: int, by: UUID) -> Event:
    at = NOON + timedelta(seconds=position)
    return _decided(
        position, ConversationTaken(conversation_id=conversation_id(of), agent_id=by, state="waiting", since_at=at)
    )


def closed(position: int, of: int) -> Event:
    at = NOON + timedelta(seconds=position)
    return _decided(position, ConversationClosed(conversation_id=conversation_id(of), since_at=at))


def reopened(position: int, of: int, message_id: UUID | None = None) -> Event:
    at = NOON + timedelta(seconds=position)
    fact = ConversationReopened(
        conversation_id=conversation_id(of), message_id=message_id, state="waiting", since_at=at, waits_for="message"
    )
    return _decided(position, fact)
