"""What was set aside because it could not be processed. Published on the topic `parked`."""

from typing import Literal
from uuid import UUID

from schemas.fact import Fact


class RequestParked(Fact):
    """A request was kept, but could not be read; an operator may retry it once the cause is mended."""

    type: Literal["request.parked"] = "request.parked"
    version: Literal[1] = 1
    parked_id: UUID
    raw_id: UUID
    channel: str
    reason: str
