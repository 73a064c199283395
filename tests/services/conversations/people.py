"""Touches for decisions, by hand: small, with ids that a reader can tell apart."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed
from schemas.conversation import ConversationFact, ConversationJoined, ConversationOpened, Ground
from schemas.interaction import Automatic, Direction, InteractionReceived, Kind
from services.conversations.batch import Batch
from services.conversations.belonging import Rules
from services.conversations.conversation import conversation_after
from services.conversations.known import Known
from services.conversations.states import State
from services.conversations.touches import Item, Mail, Touch

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HELP, SALES = UUID(int=0x111), UUID(int=0x222)
ALI, SARA = UUID(int=0xA1), UUID(int=0xA2)


def digest(name: str) -> UUID:
    return UUID(bytes=name.encode().ljust(16, b"."))


def interaction(number: int) -> UUID:
    return UUID(int=0x1000 + number)


def said(
    number: int,
    *,
    who: UUID = ALI,
    inbox: UUID = HELP,
    channel: str = "sms/twilio",
    kind: Kind = "message",
    direction: Direction = "in",
    automatic: Automatic = "human",
    after: timedelta = timedelta(0),
    revision: int = 1,
    tenant: str = "shop",
    mail: Mail | None = None,
) -> Touch:
    """At its number of minutes after noon, and `after` that."""
    at = NOON + timedelta(minutes=number) + after
    fact = InteractionReceived(
        interaction_id=interaction(number), kind=kind, direction=direction, channel=channel, automatic=automatic
    )
    return Touch(number, tenant, UUID(int=0xE000 + number), revision, who, inbox, at, at, fact, mail)


def mailed(
    number: int, own: str | None, *refers_to: str, keys: Sequence[tuple[Ground, UUID]] = (), **more: Any
) -> Touch:
    mail = Mail(None if own is None else digest(own), tuple(digest(one) for one in refers_to), tuple(keys))
    return said(number, channel="email/smtp", mail=mail, **more)


def call(
    number: int, what: str, *, key: int, leg: int = 0, who: UUID = ALI, direction: Direction = "in", revision: int = 1
) -> Touch:
    """A report about the call `number`: its beginning, `missed`, or the state of a leg; leg 0 is the first."""
    common: dict[str, Any] = {"interaction_id": interaction(number), "channel": "voice/twilio"}
    on_leg = {**common, "leg_id": UUID(int=0x1E60 + leg), "first_leg": leg == 0, "direction": direction}
    fact: Any
    if what == "begun":
        fact = InteractionReceived.model_validate({**common, "kind": "call", "direction": direction})
    elif what == "missed":
        fact = CallMissed.model_validate({**common, "outcome": "no_answer", "reported": what})
    elif what in {"queued", "ringing"}:
        fact = CallProgressed.model_validate({**on_leg, "state": what, "reported": what})
    elif what == "in_progress":
        fact = CallAnswered.model_validate({**on_leg, "reported": what})
    else:
        fact = CallEnded.model_validate({**on_leg, "outcome": what, "reported": what})
    at = NOON + timedelta(minutes=number, seconds=key)
    return Touch(key, "shop", UUID(int=0xCA00 + 100 * number + key), revision, who, HELP, at, at, fact)


class House:
    """Decides batch by batch, as the decider does with what it loads and saves."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.known = Known()
        self.facts: list[ConversationFact] = []

    def hear(self, *items: Item) -> list[ConversationFact]:
        decided: Any = Batch(self.known, self.rules).run(items)
        fresh: list[ConversationFact] = [one.fact for one in decided]
        self.facts += fresh
        return fresh

    def state(self, conversation_id: UUID) -> State:
        return conversation_after(fact for fact in self.facts if fact.conversation_id == conversation_id)

    def belongs(self) -> dict[UUID, UUID]:
        """The conversation of each interaction."""
        return {
            fact.interaction_id: fact.conversation_id
            for fact in self.facts
            if isinstance(fact, (ConversationOpened, ConversationJoined))
        }

    def together(self) -> set[frozenset[int]]:
        """The numbers of interactions that belong together."""
        found: dict[UUID, set[int]] = {}
        for one, conversation_id in self.belongs().items():
            found.setdefault(conversation_id, set()).add(one.int - 0x1000)
        return {frozenset(numbers) for numbers in found.values()}


def told(facts: Iterable[ConversationFact]) -> list[str]:
    """What was decided, in words: `opened no_conversation message waiting`."""
    words: list[str] = []
    for fact in facts:
        parts = [fact.type.partition(".")[2], getattr(fact, "why", None), getattr(fact, "brought", None), fact.state]
        words.append(" ".join(part for part in parts if part))
    return words
