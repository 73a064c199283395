"""One turn in memory: what was heard, what sends ended in, what timers say; and the facts that follow. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from schemas.outbound import MessageAsked, MessageFailed, MessageHandedOff, MessageStarted, OutboundFact
from services.dispatch.commands import Command, Report, Took
from services.dispatch.folding import evolve, resumed
from services.dispatch.known import Held, Known, Receipt
from services.dispatch.message import decide
from services.dispatch.states import Asked, Due, HandedOff, NoMessage, Read, Started, Unreachable, Withdrawn
from services.keys.ring import Subject
from services.record.decisions import Decided

Patience = Callable[[UUID], timedelta | None]
"""How long an inbox waits for a delivery before the next way is tried; None: it does not."""
_OVER: Final = (NoMessage, Unreachable, Withdrawn, Read)


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that failed for good, and the conversation whose customer still waits."""

    tenant: str
    conversation_id: UUID
    message_id: UUID


@dataclass(slots=True)
class Turn:
    """`known` is what was loaded; after the turn it is what was made of it. `again`: it was all decided before."""

    known: Known
    patience: Patience
    now: datetime
    again: bool = False
    decided: list[Decided] = field(default_factory=list[Decided])
    lost: list[Lost] = field(default_factory=list[Lost])

    def expects(self, message_id: UUID, event_id: UUID) -> bool:
        """Whether this is the next fact of its message: what was decided here, or seen before, is not."""
        held = self.known.messages.get(message_id)
        return event_id == uuid5(message_id, str(1 if held is None else held.version + 1))

    def hear(self, tenant: str, place: int, fact: OutboundFact, at: datetime) -> None:
        """The next fact of its message, from the record."""
        message_id = fact.message_id
        held = self.known.messages.get(message_id)
        if held is not None:
            self._settle(message_id, held, fact, held.version + 1, at)
        elif isinstance(fact, MessageAsked):
            asked = evolve(NoMessage(), fact, at)
            assert isinstance(asked, Asked)  # noqa: S101 - what a first fact leads to
            self.known.put(message_id, Held(tenant, 1, place, asked))

    def decide(
        self, message_id: UUID, command: Command, *, sealed_under: Subject | None = None, cause: UUID | None = None
    ) -> bool:
        """Whether it led to anything."""
        held = self.known.messages.get(message_id)
        if held is None:
            return False
        facts = decide(held.state, command)
        for fact in facts:
            held = self.known.messages[message_id]
            version = held.version + 1
            sealed = sealed_under if getattr(fact, "personal", None) is not None else None
            decided = Decided(message_id, version, held.tenant, fact, causation_id=cause, sealed_under=sealed)
            self.decided.append(decided)
            self._settle(message_id, held, fact, version, self.now)
            if isinstance(fact, MessageFailed):
                self._fail(held, message_id)
        return bool(facts)

    def receipt(self, receipt: Receipt, cause: UUID | None = None) -> None:
        """Of an attempt that is known, or kept until it is."""
        found = self.known.handoffs.get(receipt.receipts_as)
        if found is None:
            self.known.put_early.append(receipt)
        elif not self.again:
            self.decide(found[0], Report(found[1], receipt.state, receipt.code), cause=cause)

    def took(self, message_id: UUID, command: Took) -> None:
        """The provider took it; receipts that were faster than its answer are heard now."""
        if not self.decide(message_id, command):
            return
        for waiting in self.known.early_of(command.receipts_as):
            self.receipt(waiting)

    def wrote(self, people: Collection[UUID], conversations: Collection[UUID]) -> None:
        """These customers wrote: whatever became of our messages, they need no other way."""
        for message_id, held in list(self.known.messages.items()):
            if held.fallback_at is None or isinstance(held.state, Asked):
                continue
            about = held.state.course.about
            if about.address_id in people or held.to_id in people or about.conversation_id in conversations:
                self.known.put(message_id, replace(held, fallback_at=None))

    def postpone(self, message_id: UUID, seconds: float) -> None:
        """It is due later: something of ours keeps it from being begun."""
        held = self.known.messages.get(message_id)
        if held is not None and isinstance(held.state, Due):
            due_at = self.now + timedelta(seconds=seconds)
            self.known.put(message_id, replace(held, state=replace(held.state, due_at=due_at)))

    def disarm(self, message_id: UUID) -> None:
        """Its fallback has been tried."""
        held = self.known.messages.get(message_id)
        if held is not None:
            self.known.put(message_id, replace(held, fallback_at=None))

    def resume(self, message_id: UUID) -> None:
        """Its attempt is made again, as the next one."""
        held = self.known.messages.get(message_id)
        if held is not None and isinstance(held.state, Started):
            self.known.put(message_id, replace(held, state=resumed(held.state, self.now)))

    def note(self, message_id: UUID, to_id: UUID | None) -> None:
        """Whom its attempt goes to."""
        held = self.known.messages[message_id]
        self.known.put(message_id, replace(held, to_id=to_id))

    def _settle(self, message_id: UUID, held: Held, fact: OutboundFact, version: int, at: datetime) -> None:
        state = evolve(held.state, fact, at)
        if isinstance(fact, MessageHandedOff):
            self.known.handoffs[fact.receipts_as] = message_id, fact.attempt
            self.known.new_handoffs.add(fact.receipts_as)
            if self.again or fact.receipts_as in self.known.early:
                self.known.taken_early.add(fact.receipts_as)
        if isinstance(state, _OVER):
            self.known.end(message_id)
            return
        fallback_at = held.fallback_at if isinstance(state, HandedOff) else None
        if isinstance(state, HandedOff) and not isinstance(held.state, HandedOff):
            fallback_at = self._fallback_at(state, at)
        began_at = at if isinstance(fact, MessageStarted) else held.started_at
        after = replace(held, version=version, state=state, fallback_at=fallback_at, started_at=began_at)
        self.known.put(message_id, after)

    def _fallback_at(self, state: HandedOff, at: datetime) -> datetime | None:
        way = state.course.way
        # Nobody is told twice that their message came.
        if way.round > 1 or not way.has_next or state.course.about.automatic:
            return None
        patience = self.patience(way.inbox_id)
        return None if patience is None else at + patience

    def _fail(self, held: Held, message_id: UUID) -> None:
        about = held.state.about if isinstance(held.state, Asked) else held.state.course.about
        if about.conversation_id is not None and not about.automatic:
            self.lost.append(Lost(held.tenant, about.conversation_id, message_id))
