"""What was in force: tenants and inboxes. Published on the topic `settings`. Secrets are never here."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Fact


class TenantRegistered(Fact):
    """An organisation is served by this installation."""

    type: Literal["tenant.registered"] = "tenant.registered"
    version: Literal[1] = 1
    tenant: str
    name: str
    region: str
    time_zone: str
    language: str
    calendar: str


class InboxAdded(Fact):
    """One of our own numbers, mailboxes, widgets or forms is open. `natural_name` is what event ids derive from."""

    type: Literal["inbox.added"] = "inbox.added"
    version: Literal[1] = 1
    inbox_id: UUID
    channel: str
    name: str
    address: str
    natural_name: str
    settings: dict[str, str] = Field(default_factory=dict)


class InboxChanged(Fact):
    """Settings of an inbox now have these values; a setting not named keeps its own."""

    type: Literal["inbox.changed"] = "inbox.changed"
    version: Literal[1] = 1
    inbox_id: UUID
    settings: dict[str, str]


class InboxKeyRotated(Fact):
    """The inbox has a new secret path; the old one works until the grace has passed."""

    type: Literal["inbox.key_rotated"] = "inbox.key_rotated"
    version: Literal[1] = 1
    inbox_id: UUID
    grace_seconds: int


class InboxDisabled(Fact):
    """The inbox takes nothing any more."""

    type: Literal["inbox.disabled"] = "inbox.disabled"
    version: Literal[1] = 1
    inbox_id: UUID


SettingFact = Annotated[
    TenantRegistered | InboxAdded | InboxChanged | InboxKeyRotated | InboxDisabled, Field(discriminator="type")
]
