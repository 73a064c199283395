"""What is known of a customer: preferences, consent, erasure. Published on the topic `customers`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Assurance, Fact, Part

WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Stated(Part):
    """Who stated it, in their own words."""

    address: str
    wording: str | None = None


class PreferenceStated(Fact):
    """A customer said by which channel kinds they like to be answered, best first."""

    type: Literal["preference.stated"] = "preference.stated"
    version: Literal[1] = 1
    interaction_id: UUID
    channels: tuple[str, ...]
    assurance: Assurance = "claimed"
    personal: Stated | None = None


class ConsentStated(Fact):
    """A customer allowed or forbade that we write to them; `wording_version` names the text that they saw."""

    type: Literal["consent.stated"] = "consent.stated"
    version: Literal[1] = 1
    interaction_id: UUID | None = None
    channel: str
    purpose: str
    granted: bool
    wording_version: str | None = None
    personal: Stated | None = None


class QuietHours(Part):
    """From `begins` until before `ends` (`22:00`, `08:00`) on the customer's wall clock; over midnight too."""

    begins: WallTime
    ends: WallTime


class Habits(Part):
    """Whose preferences these are, and what of them says how a person lives. `time_zone` is a name of IANA's."""

    address: str
    quiet_hours: QuietHours | None = None
    language: str | None = None
    time_zone: str | None = None


class PreferenceFiled(Fact):
    """From now on these preferences are on file for an address, in place of all that were; best channel first.

    `source` tells through whom: an agent, another service by the API, or an operator at the command line.
    """

    type: Literal["preference.filed"] = "preference.filed"
    version: Literal[1] = 1
    channels: tuple[str, ...] = ()
    source: Literal["agent", "api", "command"]
    personal: Habits | None = None


class AddressErased(Fact):
    """The key of this address is destroyed: drop what you hold of it. The stream id is the address_id."""

    type: Literal["address.erased"] = "address.erased"
    version: Literal[1] = 1
    address_id: UUID
    epoch: int


CustomerFact = Annotated[
    PreferenceStated | PreferenceFiled | ConsentStated | AddressErased, Field(discriminator="type")
]
