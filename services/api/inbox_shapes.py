"""The bodies and answers about inboxes."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from channels.registry import REGISTRY
from services.tenancy.doors import door_url
from services.tenancy.inbox import OpenInbox

_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
_Text = Annotated[str, Field(max_length=500, pattern=_TEXT)]
_Value = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]
_Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
_Pairs = Annotated[
    dict[_Name, _Value], Field(max_length=50, json_schema_extra={"additionalProperties": False, "maxProperties": 50})
]


def _known(channel: str) -> str:
    if channel not in REGISTRY:
        raise ValueError(f"there is no such channel; there are {', '.join(sorted(REGISTRY))}")
    return channel


class NewInboxBody(BaseModel):
    """An inbox to open. Secrets are sealed and never shown again."""

    model_config = ConfigDict(extra="forbid")

    channel: Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*sorted(REGISTRY)]})]
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT, description="For people.")]
    address: _Text = Field("", description="The number or mailbox that customers write to; empty for a form.")
    settings: _Pairs = Field(default_factory=dict[str, str])
    secrets: _Pairs = Field(default_factory=dict[str, str])


class InboxChangeBody(BaseModel):
    """What is to change; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    settings: _Pairs = Field(default_factory=dict[str, str])
    secrets: _Pairs = Field(default_factory=dict[str, str])
    grace_seconds: int = Field(0, ge=0, le=90 * 24 * 3600, description="How long old secrets stay good.")
    disabled: bool | None = Field(None, description="True closes it for ever; add it again to open it.")


class InboxBody(BaseModel):
    """One of our own numbers, mailboxes or forms. `key` and `url` only for those who may change it."""

    inbox_id: UUID
    channel: str
    name: str
    address: str
    natural_name: str
    settings: dict[str, str]
    disabled: bool
    key: str | None
    url: str | None


class InboxList(BaseModel):
    """All of them, also disabled ones, in the order they were added."""

    items: list[InboxBody]


class RequestNote(BaseModel):
    """A request that was refused, parked or repeated."""

    request_id: UUID
    received_at: datetime
    result: str
    reason: str | None
    raw_id: UUID | None
    event_ids: list[UUID]


class RequestList(BaseModel):
    """The last few, newest first."""

    items: list[RequestNote]


def inbox(found: OpenInbox, *, disabled: bool, key: str | None = None, public_url: str | None = None) -> dict[str, Any]:
    """An `InboxBody`, ready for orjson. Without `public_url` nothing tells where its door is."""
    url = None if public_url is None else door_url(public_url, found.channel, key, found.address)
    return {
        "inbox_id": found.inbox_id,
        "channel": found.channel,
        "name": found.name,
        "address": found.address,
        "natural_name": found.natural_name,
        "settings": dict(found.settings),
        "disabled": disabled,
        "key": key,
        "url": url,
    }


def etag(body: Mapping[str, Any]) -> str:
    """A strong validator of what was settled; RFC 9110 section 8.8.3."""
    settled = [body[name] for name in ("inbox_id", "name", "settings", "disabled")]
    return f'"{sha256(orjson.dumps(settled, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]}"'
