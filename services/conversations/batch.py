"""Decides a batch in memory: item by item in the order of the record, each seeing what those before it led to. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Final
from uuid import UUID

from schemas.conversation import Brought, Ground
from schemas.interaction import InteractionReceived
from services.conversations.belonging import Alone, Candidate, Joins, Rules, choose
from services.conversations.call import CallSoFar, outcome_of, with_report
from services.conversations.commands import Command, Correct, Join, Open
from services.conversations.conversation import decide, evolve
from services.conversations.known import Held, Known, KnownCall, Sender
from services.conversations.states import NoConversation
from services.conversations.touches import Erased, Item, Touch, inbox_of
from services.record.decisions import Decided

_AUTOMATIC: Final[dict[str, Brought]] = {"auto_reply": "auto_reply", "bounce": "bounce"}
_CALL: Final[dict[str, Brought]] = {"missed": "missed_call", "taken": "taken_call", "unreached": "outgoing"}
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Batch:
    """`known` is what was loaded for these items; after `run` it is what they made of it."""

    known: Known
    rules: Rules
    decided: list[Decided] = field(default_factory=list[Decided])

    def run(self, items: Iterable[Item]) -> Sequence[Decided]:
        """The decisions, in order."""
        for item in items:
            if isinstance(item, Erased):
                self.known.erase(item.address_id)
            elif item.revision > 1 and item.event_id in self.known.decided_before:
                # A mended parser made it again: what was decided on the first reading stands.
                continue
            elif item.is_call:
                self._call(item)
            elif isinstance(item.fact, InteractionReceived) and item.fact.kind != "visit":
                self._place(item, self._brought(item, item.fact), item.fact.interaction_id)
        return self.decided

    def _brought(self, touch: Touch, fact: InteractionReceived) -> Brought:
        if fact.direction == "out":
            return "outgoing"
        is_flood = touch.mail is not None and self._paced(touch)
        return _AUTOMATIC.get(fact.automatic) or ("flood" if is_flood else "message")

    def _paced(self, touch: Touch) -> bool:
        sender = self._sender(touch)
        pace = sender.pace.after(touch.at, self.rules)
        self.known.put_sender(touch.sender, replace(sender, pace=pace))
        return pace.is_flood(self.rules)

    def _call(self, touch: Touch) -> None:
        interaction_id = touch.fact.interaction_id
        before = self.known.calls.get(interaction_id)
        so_far = with_report(None if before is None else before.so_far, touch.fact, touch.address_id, touch.inbox_id)
        call = replace(before, so_far=so_far) if before is not None else KnownCall(touch.tenant, so_far)
        outcome = outcome_of(so_far)
        if outcome is not None and outcome != call.outcome:
            conversation_id = self._call_over(of_call(touch, so_far), call, _CALL[outcome])
            call = replace(call, outcome=outcome, conversation_id=conversation_id)
        self.known.put_call(interaction_id, call)

    def _call_over(self, touch: Touch, call: KnownCall, brought: Brought) -> UUID | None:
        interaction_id = touch.fact.interaction_id
        if call.conversation_id is None:
            return self._place(touch, brought, interaction_id)
        correct = Correct(interaction_id, taken=brought == "taken_call", at=touch.at)
        self._decide(call.conversation_id, touch, correct)
        return call.conversation_id

    def _place(self, touch: Touch, brought: Brought, interaction_id: UUID) -> UUID | None:
        choice = choose(self._candidates(touch), brought, touch.at, self.rules)
        if isinstance(choice, Alone):
            return None
        if isinstance(choice, Joins):
            about, ground = choice.candidate.conversation.about, choice.candidate.ground
            conversation_id = about.conversation_id
            is_own = (about.address_id, about.inbox_id) == (touch.address_id, inbox_of(touch.inbox_id))
            command: Command = Join(interaction_id, ground, brought, touch.at)
        else:
            conversation_id, is_own = conversation_id_of(interaction_id, touch.occurred_at), True
            command = Open(
                conversation_id,
                touch.address_id,
                inbox_of(touch.inbox_id),
                touch.fact.channel,
                interaction_id,
                choice.why,
                brought,
                touch.at,
            )
        self._decide(conversation_id, touch, command)
        self.known.put_mail(touch, conversation_id)
        sender = self._sender(touch)
        if is_own and sender.conversation_id != conversation_id:
            self.known.put_sender(touch.sender, replace(sender, conversation_id=conversation_id))
        return conversation_id

    def _candidates(self, touch: Touch) -> list[Candidate]:
        found: dict[UUID, Candidate] = {}
        if touch.mail is not None:
            for ground, conversation_id in touch.mail.keys:
                self._add(found, touch, ground, conversation_id)
            for digest in touch.mail.refers_to:
                if (mail := self.known.mails.get(digest)) is not None:
                    self._add(found, touch, "references", mail.conversation_id)
            own = None if touch.mail.own is None else self.known.mails.get(touch.mail.own)
            # A mail that another spoke of before it came: only by the same sender.
            if own is not None and own.address_id == touch.address_id:
                self._add(found, touch, "references", own.conversation_id)
        present = self._sender(touch).conversation_id
        if present is not None:
            self._add(found, touch, "open_conversation", present)
        return list(found.values())

    def _decide(self, conversation_id: UUID, touch: Touch, command: Command) -> None:
        state = self.known.state(conversation_id, touch.tenant)
        held = self.known.conversations.get(conversation_id)
        version = 0 if held is None else held.version
        for fact in decide(state, command):
            version += 1
            state = evolve(state, fact)
            decided = Decided(conversation_id, version, touch.tenant, fact, causation_id=touch.event_id)
            self.decided.append(decided)
        if not isinstance(state, NoConversation):
            self.known.put_conversation(conversation_id, Held(touch.tenant, version, state))

    def _add(self, found: dict[UUID, Candidate], touch: Touch, ground: Ground, conversation_id: UUID) -> None:
        state = self.known.state(conversation_id, touch.tenant)
        if not isinstance(state, NoConversation):
            found.setdefault(conversation_id, Candidate(ground, state))

    def _sender(self, touch: Touch) -> Sender:
        return self.known.senders.get(touch.sender) or Sender(touch.tenant)


def conversation_id_of(interaction_id: UUID, occurred_at: datetime) -> UUID:
    """Derived, so that it is the same however often it is decided; by time, so that indexes grow at their end.

    Milliseconds since 1970, then a digest, as version 8 of RFC 9562 (section 5.8).
    """
    milliseconds = max(0, (occurred_at - _START) // _MILLISECOND) & (1 << 48) - 1
    digest = int.from_bytes(sha1(interaction_id.bytes, usedforsecurity=False).digest()[:10])
    return UUID(int=milliseconds << 80 | 8 << 76 | (digest >> 4 & 0xFFF) << 64 | 2 << 62 | digest >> 18 & (1 << 62) - 1)


def of_call(touch: Touch, call: CallSoFar) -> Touch:
    """As if its beginning had told it: a report about a connected leg may name another address."""
    return replace(touch, address_id=call.address_id, inbox_id=call.inbox_id)
