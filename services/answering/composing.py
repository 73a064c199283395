"""The decisions that asking for an answer is: the message, where it goes, and that we had our turn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from channels.contract import Blob
from schemas.conversation import ConversationFact
from schemas.interaction import Attachment, AttachmentName
from schemas.outbound import MessageAsked, Said
from services.answering.asking import Draft
from services.answering.loaded import Loaded
from services.answering.question import Heard
from services.keys.ring import Subject
from services.record.decisions import Decided
from services.record.errors import Refused
from services.record.facts import LIMIT_BYTES
from services.resolving.outcome import Resolved
from services.resolving.told import resolved

_ASKED: Final = 1
_RESOLVED: Final = 2


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wants what said, when, under which id."""

    message_id: UUID
    draft: Draft
    now: datetime
    agent_id: UUID | None

    def blobs(self) -> list[Blob]:
        """The files, by ids that are the same at every try."""
        return [
            Blob(uuid5(self.message_id, f"attachment/{place}"), one.content)
            for place, one in enumerate(self.draft.attachments)
        ]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, under whose key it is kept, and the way that the answer takes."""

    heard: Heard
    subject: Subject
    way: Resolved


def composed(asking: Asking, loaded: Loaded, reply: Reply, turn: Sequence[ConversationFact]) -> list[Decided]:
    """In the order in which they are recorded; `turn` is what becomes of the conversation.

    Raises:
        Refused: more text than a fact takes.
    """
    tenant, of, message_id, subject = loaded.tenant, loaded.conversation_id, asking.message_id, reply.subject
    said = _asked(asking, of, reply.heard)
    if len(said.clear_json()) + len(said.personal_json() or b"") > LIMIT_BYTES:
        raise Refused(f"Too long: a message with its mark-up takes up to {LIMIT_BYTES // 1024} KB.")
    asked = Decided(message_id, _ASKED, tenant, said, of, reply.heard.event_id, subject)
    because = asked.event_id
    way = Decided(message_id, _RESOLVED, tenant, resolved(message_id, reply.way), of, because, subject)
    turns = [
        Decided(of, version, tenant, fact, causation_id=because)
        for version, fact in enumerate(turn, loaded.version + 1)
    ]
    return [asked, way, *turns]


def _asked(asking: Asking, conversation_id: UUID, heard: Heard) -> MessageAsked:
    draft, files = asking.draft, asking.blobs()
    undo_until = asking.now + timedelta(seconds=draft.undo_seconds) if draft.undo_seconds > 0 else None
    return MessageAsked(
        message_id=asking.message_id,
        address_id=heard.address_id,
        conversation_id=conversation_id,
        answers=heard.interaction_id,
        agent_id=asking.agent_id,
        via=draft.via,
        automatic=draft.automatic,
        undo_until=undo_until,
        attachments=tuple(
            Attachment(attachment_id=file.blob_id, media_type=one.media_type, bytes=len(file.content))
            for file, one in zip(files, draft.attachments, strict=True)
        ),
        personal=Said(
            address=heard.question.address,
            text=draft.text,
            html=draft.html,
            reason=draft.reason,
            attachments=tuple(
                AttachmentName(attachment_id=file.blob_id, name=one.name)
                for file, one in zip(files, draft.attachments, strict=True)
            ),
        ),
    )
