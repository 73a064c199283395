"""The bodies and answers about preferences."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.customer import QuietHours
from services.customers.filing import Consent, Filed
from services.customers.on_file import OnFile

_Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,19}(/[a-z0-9_]{1,40})?$", examples=["sms"])]


class ConsentBody(BaseModel):
    """What is allowed or forbidden: a kind of channel, one of a kind, or `any`; `service` is for answers."""

    model_config = ConfigDict(extra="forbid")

    channel: _Channel = "any"
    purpose: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")] = "service"
    granted: bool


class PreferenceBody(BaseModel):
    """What is on file from now on: all of it, in place of what was. Consents are added, each replaces its like."""

    model_config = ConfigDict(extra="forbid")

    channels: Annotated[list[_Channel], Field(max_length=20, description="Kinds of channels, best first.")]
    quiet_hours: QuietHours | None = Field(None, description="On the customer's wall clock.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$")] | None = None
    time_zone: Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_+/-]+$")] | None = Field(
        None, description="A name of the IANA database; without it the tenant's."
    )
    consents: Annotated[list[ConsentBody], Field(max_length=50)] = Field(default_factory=list[ConsentBody])

    def filed(self) -> Filed:
        """As a command."""
        consents = tuple(Consent(one.channel, one.purpose, one.granted) for one in self.consents)
        return Filed(tuple(self.channels), self.quiet_hours, self.language, self.time_zone, consents)


class ConsentShown(BaseModel):
    """The last word on one channel and purpose."""

    channel: str
    purpose: str
    granted: bool
    stated_at: datetime


class Preferences(BaseModel):
    """What is on file. `source` `contact`: the customer said it when they wrote; null: nothing was ever said."""

    address: str
    address_id: UUID | None
    channels: list[str]
    quiet_hours: QuietHours | None
    language: str | None
    time_zone: str | None
    source: Literal["contact", "agent", "api", "command"] | None
    stated_at: datetime | None
    position: int
    consents: list[ConsentShown]


class FiledAt(BaseModel):
    """Where it was recorded."""

    position: int


def preferences(address: str, address_id: UUID | None, found: OnFile) -> dict[str, Any]:
    """A `Preferences`, ready for orjson."""
    quiet = found.quiet_hours
    return {
        "address": address,
        "address_id": address_id,
        "channels": found.channels,
        "quiet_hours": None if quiet is None else {"begins": quiet.begins, "ends": quiet.ends},
        "language": found.language,
        "time_zone": found.time_zone,
        "source": found.source,
        "stated_at": found.stated_at,
        "position": found.position,
        "consents": [
            {"channel": one.channel, "purpose": one.purpose, "granted": one.granted, "stated_at": one.stated_at}
            for one in found.consents
        ],
    }
