"""The bodies and answers about messages of ours, as documented and as sent."""

from base64 import b64decode
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.conversation import ConversationState
from schemas.interaction import DeliveryState
from services.answering.asking import MOST_ATTACHED_BYTES, Asked, Attached, Draft
from services.answering.message import Message, MessageState, Outcome
from services.answering.told_again import resolution_of
from services.resolving.outcome import ChosenBecause, RejectedBecause, Resolution, Resolved

MOST_BYTES: Final = MOST_ATTACHED_BYTES * 4 // 3 + 512 * 1024
"""Of a body: the files in base64, and the texts."""
_LONGEST_TEXT: Final = 50_000
_BASE64: Final = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_MEDIA_TYPE: Final = r"^[A-Za-z0-9!#$&^_.+-]{1,63}/[A-Za-z0-9!#$&^_.+-]{1,63}$"


class AttachedBody(BaseModel):
    """A file that goes with a message."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    media_type: Annotated[str, Field(pattern=_MEDIA_TYPE)] = "application/octet-stream"
    content: Annotated[str, Field(pattern=_BASE64, description="In base64; all files together up to 10 MB.")]


class MessageBody(BaseModel):
    """An answer. Without `via` it takes the way that the customer prefers; with it, `reason` says why not that one."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT, pattern=r"\S")]
    html: Annotated[str, Field(max_length=_LONGEST_TEXT)] | None = None
    via: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,19}(/[a-z0-9_]{1,40})?$", examples=["sms"])] | None = None
    reason: Annotated[str, Field(max_length=500, pattern=r"\S")] | None = Field(
        None, description="Why the agent chose this channel."
    )
    attachments: Annotated[list[AttachedBody], Field(max_length=20)] = Field(default_factory=list[AttachedBody])
    undo_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        0, description="So long it is not sent, and can be withdrawn."
    )
    seen: ConversationState | None = Field(
        None, description="The state in which its writer saw the conversation: refused when it was answered since."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.via is not None and self.reason is None:
            raise ValueError("a channel of your own choice needs a reason")
        if sum(len(one.content) for one in self.attachments) * 3 // 4 > MOST_ATTACHED_BYTES:
            raise ValueError("the files have more than 10 MB together")
        return self

    def draft(self) -> Draft:
        """As it is asked."""
        files = tuple(Attached(one.name, one.media_type, b64decode(one.content)) for one in self.attachments)
        return Draft(self.text, self.html, self.via, self.reason, files, undo_seconds=self.undo_seconds)


class JudgedBody(BaseModel):
    """What somebody found out about a message that is in doubt: `not_sent` sends it again."""

    model_config = ConfigDict(extra="forbid")

    judged: Literal["arrived", "not_sent"]


class RejectedShown(BaseModel):
    """A way that the answer does not take, and why, for people and as a code."""

    channel: str
    address: str | None
    why: str
    code: RejectedBecause


class ResolutionShown(BaseModel):
    """The way that an answer takes, and why. `channel` null: there is none."""

    channel: str | None
    inbox_id: UUID | None
    address: str | None
    why: str
    code: ChosenBecause | None
    hold_until: datetime | None = Field(description="When the customer's quiet hours end; it is not sent before.")
    hold_why: str | None
    form: Literal["text", "html", "speech"] | None
    encoding: Literal["gsm7", "ucs2"] | None = Field(description="Of short messages.")
    segments: int | None
    language: str | None
    rejected: list[RejectedShown]


class AskedShown(BaseModel):
    """It is recorded and will be sent."""

    message_id: UUID
    position: int
    resolution: ResolutionShown


class AttemptShown(BaseModel):
    """One try to hand it to a provider."""

    attempt: int
    channel: str
    inbox_id: UUID
    started_at: datetime
    outcome: Outcome
    ended_at: datetime | None
    provider_id: str | None
    code: str | None
    why: str | None
    retry_at: datetime | None


class ReceiptShown(BaseModel):
    """What the provider said of an attempt."""

    attempt: int
    state: DeliveryState
    code: str | None
    at: datetime


class MessageShown(BaseModel):
    """A message of ours and what became of it so far. What a person is or reads becomes null once they are erased."""

    message_id: UUID
    conversation_id: UUID | None
    answers: UUID | None = Field(description="The interaction that it answers.")
    agent_id: UUID | None
    automatic: bool
    text: str | None
    via: str | None
    reason: str | None
    state: MessageState
    code: str | None = Field(description="Of a failure.")
    why: str | None
    asked_at: datetime
    undo_until: datetime | None
    resolution: ResolutionShown | None
    attempts: list[AttemptShown]
    receipts: list[ReceiptShown]
    position: int


def resolution_shown(found: Resolution) -> dict[str, Any]:
    """A `ResolutionShown`, ready for orjson."""
    way = found if isinstance(found, Resolved) else None
    rendering = None if way is None else way.rendering
    return {
        "channel": None if way is None else way.channel,
        "inbox_id": None if way is None else way.inbox_id,
        "address": None if way is None else way.address or None,
        "why": found.why,
        "code": None if way is None else way.code,
        "hold_until": None if way is None else way.hold_until,
        "hold_why": None if way is None else way.hold_why,
        "form": None if rendering is None else rendering.form,
        "encoding": None if rendering is None else rendering.encoding,
        "segments": None if rendering is None else rendering.segments,
        "language": None if way is None else way.language,
        "rejected": [
            {"channel": one.channel, "address": one.address, "why": one.why, "code": one.code} for one in found.rejected
        ],
    }


def asked_shown(asked: Asked) -> dict[str, Any]:
    """An `AskedShown`, ready for orjson."""
    resolution = resolution_shown(asked.resolution)
    return {"message_id": asked.message_id, "position": asked.position, "resolution": resolution}


def message_shown(message: Message) -> dict[str, Any]:
    """A `MessageShown`, ready for orjson."""
    asked, said, resolved = message.asked, message.asked.personal, message.resolved
    found = None if resolved is None else resolution_of(resolved, "" if said is None else said.text)
    return {
        "message_id": asked.message_id,
        "conversation_id": asked.conversation_id,
        "answers": asked.answers,
        "agent_id": asked.agent_id,
        "automatic": asked.automatic,
        "text": None if said is None else said.text,
        "via": asked.via,
        "reason": None if said is None else said.reason,
        "state": message.state,
        "code": message.code,
        "why": message.why,
        "asked_at": message.asked_at,
        "undo_until": asked.undo_until,
        "resolution": None if found is None else resolution_shown(found),
        "attempts": message.attempts,
        "receipts": message.receipts,
        "position": message.position,
    }
