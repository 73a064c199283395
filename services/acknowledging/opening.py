"""Which conversations are acknowledged, as far as their beginning and the settings of their inbox tell. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from schemas.conversation import ConversationOpened
from services.record.reader import Row, event_of
from services.tenancy.acknowledgement import acknowledgement
from services.tenancy.register import Register

Passed = Literal["old", "machine", "erased", "not_waiting", "no_way", "refused", "failed"]
"""Why an inbox that acknowledges did not. `old`: it is history; `not_waiting`: it was answered or closed by then."""

MOST_AGE: Final = timedelta(minutes=10)
"""Since the conversation was opened. What is older is history, or was held up by us for so long that only an answer
helps."""
MOST_WAITED: Final = timedelta(hours=1)
"""Since the question was asked, by its own date: mails come late, and mailboxes are taken in with what is in them."""
_NAMESPACE: Final = UUID("5f0a2b57-7a0e-5b6c-9c0a-3d3b7d1d8e41")


@dataclass(frozen=True, slots=True)
class Opening:
    """A person may have begun this conversation. `event_id` is of the fact that it was opened on, below `position`."""

    tenant: str
    conversation_id: UUID
    event_id: UUID
    position: int
    opened_at: datetime
    language: str
    texts: Mapping[str, str]

    @property
    def command_id(self) -> UUID:
        """The same for the same conversation, for ever: however often it is asked for, it is asked for once."""
        return uuid5(_NAMESPACE, self.conversation_id.hex)


def opening_of(row: Row, register: Register) -> Opening | None:
    """None where nothing is acknowledged. `register` holds what was in force at that position.

    Raises:
        Undecodable: as `schemas.event.read_fact`.
        Refused: the inbox has settings that this version does not know.
    """
    if row.type != "conversation.opened":
        return None
    fact = event_of(row).fact
    # A call is no message, and who was called is not greeted.
    if not isinstance(fact, ConversationOpened) or fact.brought != "message":
        return None
    found = None if fact.inbox_id is None else register.inbox(row.tenant, fact.inbox_id)
    tenant = register.tenants.get(row.tenant)
    if found is None or tenant is None or row.causation_id is None:
        return None
    wanted = acknowledgement(found[1].settings)
    if not wanted.is_on:
        return None
    return Opening(
        tenant=row.tenant,
        conversation_id=fact.conversation_id,
        event_id=row.causation_id,
        position=row.position,
        # Facts that are put back are recorded anew.
        opened_at=min(row.recorded_at, fact.since_at),
        language=tenant.language,
        texts=wanted.texts,
    )


def is_old(one: Opening, now: datetime) -> bool:
    """Whether it is history."""
    return now - one.opened_at > MOST_AGE
