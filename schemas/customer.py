"""What is known of a customer: preferences, consent, erasure. Published on the topic `customers`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.fact import Assurance, Fact, Part


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


class AddressErased(Fact):
    """The key of this address is destroyed: drop what you hold of it. The stream id is the address_id."""

    type: Literal["address.erased"] = "address.erased"
    version: Literal[1] = 1
    address_id: UUID
    epoch: int


CustomerFact = Annotated[PreferenceStated | ConsentStated | AddressErased, Field(discriminator="type")]
