"""What a batch has to know and what it changes: a piece of the lookup tables in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.conversations.belonging import Pace
from services.conversations.call import CallOutcome, CallSoFar
from services.conversations.states import Conversation, NoConversation, State
from services.conversations.touches import Touch


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation after `version` decisions."""

    tenant: str
    version: int
    state: Conversation


@dataclass(frozen=True, slots=True)
class Sender:
    """An address on an inbox: its present conversation, and the pace of its mails."""

    tenant: str
    conversation_id: UUID | None = None
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class KnownMail:
    """The conversation that a Message-ID leads to. `referred`: a mail spoke of it that has not come itself."""

    conversation_id: UUID
    address_id: UUID
    referred: bool


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call so far, what was decided on it, and where it belongs."""

    tenant: str
    so_far: CallSoFar
    outcome: CallOutcome | None = None
    conversation_id: UUID | None = None


@dataclass(slots=True)
class Known:
    """Loaded for one batch. What is put in is noted, to be saved with the decisions."""

    conversations: dict[UUID, Held] = field(default_factory=dict[UUID, Held])
    senders: dict[tuple[UUID, UUID], Sender] = field(default_factory=dict[tuple[UUID, UUID], Sender])
    mails: dict[UUID, KnownMail] = field(default_factory=dict[UUID, KnownMail])
    calls: dict[UUID, KnownCall] = field(default_factory=dict[UUID, KnownCall])
    decided_before: set[UUID] = field(default_factory=set[UUID])
    changed: set[UUID] = field(default_factory=set[UUID])
    changed_senders: set[tuple[UUID, UUID]] = field(default_factory=set[tuple[UUID, UUID]])
    erased: set[UUID] = field(default_factory=set[UUID])

    def state(self, conversation_id: UUID, tenant: str) -> State:
        """The conversation; another tenant's is none."""
        held = self.conversations.get(conversation_id)
        return held.state if held is not None and held.tenant == tenant else NoConversation()

    def put_conversation(self, conversation_id: UUID, held: Held) -> None:
        """After a decision."""
        self.conversations[conversation_id] = held
        self.changed.add(conversation_id)

    def put_sender(self, key: tuple[UUID, UUID], sender: Sender) -> None:
        """A new present conversation, or another pace."""
        self.senders[key] = sender
        self.changed_senders.add(key)

    def put_mail(self, touch: Touch, conversation_id: UUID) -> None:
        """Lead from a mail, and from those that it speaks of and that are unknown yet, to its conversation."""
        if touch.mail is None:
            return
        if touch.mail.own is not None:
            self._put_mails([touch.mail.own], KnownMail(conversation_id, touch.address_id, referred=False))
        self._put_mails(touch.mail.refers_to, KnownMail(conversation_id, touch.address_id, referred=True))

    def _put_mails(self, digests: Iterable[UUID], made: KnownMail) -> None:
        for digest in digests:
            before = self.mails.get(digest)
            if before is None:
                self.mails[digest] = made
            elif before.referred and not made.referred:
                self.mails[digest] = replace(made, conversation_id=before.conversation_id)
            else:
                continue
            self.changed.add(digest)

    def put_call(self, interaction_id: UUID, call: KnownCall) -> None:
        """After a report."""
        self.calls[interaction_id] = call
        self.changed.add(interaction_id)

    def erase(self, address_id: UUID) -> None:
        """Forget which mails this address wrote and what its present conversation is."""
        self.erased.add(address_id)
        for digest in [one for one, mail in self.mails.items() if mail.address_id == address_id]:
            del self.mails[digest]
        for key in [one for one in self.senders if one[0] == address_id]:
            del self.senders[key]
