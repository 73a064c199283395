"""A verified request on its way into the record, and what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

from channels.contract import Heard, InboundRequest
from services.record.facts import event_id_of, request_id_of
from services.record.raw import new_raw_id

Result = Literal["accepted", "duplicate", "parked"]


class Away(Exception):
    """The record cannot take anything now: answer so that this provider comes again."""


class Unkept(Away):
    """The record takes others but never this one: there is no use in keeping it for later."""


class Outcome(NamedTuple):
    """What became of a request. `event_ids` are those of its facts, also when they were there before."""

    result: Result
    event_ids: tuple[UUID, ...]


@dataclass(slots=True, eq=False)
class Submission:
    """One request. Without facts it is `pending` (for a parser), has a `reason` (parked), or says nothing.

    `spools`: whoever sent it does not come again, so it waits on our own disk while the record is away.
    """

    request: InboundRequest
    inbox_id: UUID
    heard: Sequence[Heard] = ()
    pending: bool = False
    reason: str | None = None
    source_key: str | None = None
    spools: bool = False
    queued_at: float = 0.0
    raw_id: UUID = field(default_factory=new_raw_id)
    answer: "asyncio.Future[Outcome] | None" = None
    outcome: Outcome | None = None
    traceparent: str | None = None

    @property
    def tenant(self) -> str:
        """Whose request it is."""
        return self.request.origin.tenant

    @property
    def state(self) -> str:
        """The state of its raw row."""
        if self.reason is not None:
            return "parked"
        return "pending" if self.pending else "read"

    @property
    def event_ids(self) -> tuple[UUID, ...]:
        """What is remembered of it in `seen`."""
        if self.heard and self.reason is None:
            return tuple(event_id_of(self.request.origin, one) for one in self.heard)
        return (request_id_of(self.request.origin, self.source_key, self.request.body),)

    def settle(self, outcome: Outcome | Exception) -> None:
        """Answer the waiter, if it still waits."""
        if not isinstance(outcome, Exception):
            self.outcome = outcome
        if self.answer is None or self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)
