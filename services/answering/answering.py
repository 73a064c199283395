"""Answers customers on behalf of agents: where an answer would go, ask for it, take it back, and whose turn it is.

The record is the interface: what is asked here is sent by whoever reads it there. A command is carried out once,
whoever repeats it. Agents and dispatch may act at the same time: whoever is slower decides again on what is then so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from schemas.conversation import ConversationFact, ConversationState
from services.answering.asking import Asked, Draft, NotThere, NoWay, check, message_id_of
from services.answering.composing import Asking, Reply, composed
from services.answering.gathering import Sources, gathered
from services.answering.loaded import Loaded, conversation
from services.answering.message import Message, message_after
from services.answering.people import judged as settled
from services.answering.people import withdrawn
from services.answering.question import Heard, heard
from services.answering.saving import Attempt, save_once
from services.answering.told_again import resolution_of
from services.blobs import BlobStore
from services.conversations import commands
from services.conversations.conversation import decide
from services.conversations.states import name_of
from services.keys.ring import Ring, Subject
from services.record.decisions import Command, Decided, Decisions
from services.record.errors import AlreadyDone, Refused
from services.record.facts_below import FactsBelow
from services.record.reader import Reader, event_of
from services.resolving.outcome import Resolution, Resolved, Unreachable
from services.resolving.resolve import resolve

__all__ = ["Answering", "Asked", "Draft"]

_ERASED: Final = "Who asked this is erased: there is nobody left to answer."


class Answering:
    """One per process; safe for concurrent tasks. Methods raise psycopg.OperationalError when PostgreSQL is away."""

    def __init__(
        self, record: AsyncConnectionPool, reader: Reader, ring: Ring, decisions: Decisions, blobs: BlobStore
    ) -> None:
        """`record` and `reader` see one tenant at least; `decisions` are saved with the rights of their own URL."""
        self._sources: Final = Sources(record, reader, ring)
        self._facts: Final = FactsBelow(record, reader)
        self._decisions: Final = decisions
        self._blobs: Final = blobs

    async def preview(self, tenant: str, conversation_id: UUID, draft: Draft, now: datetime) -> Resolution:
        """Where this answer would go, and why not elsewhere; nothing is recorded.

        Raises:
            NotThere: this tenant has no such conversation.
            Refused: a channel was chosen without a reason, or nobody is left to answer.
        """
        found = await self._heard(await conversation(self._sources.reader, tenant, conversation_id))
        return resolve(await gathered(self._sources, tenant, found, draft), now)

    async def ask(
        self,
        tenant: str,
        conversation_id: UUID,
        draft: Draft,
        *,
        command_id: UUID,
        now: datetime,
        agent_id: UUID | None = None,
        seen: ConversationState | None = None,
    ) -> Asked:
        """Have it sent. Who does not say what they have `seen` is taken to have seen what is there now.

        Raises:
            NotThere: this tenant has no such conversation.
            NoWay: it can go nowhere, and nothing is recorded.
            Refused: a rule says no, in a sentence.
            Conflict: the conversation went on three times meanwhile; ask again.
        """
        check(draft)
        asking = Asking(message_id_of(tenant, command_id), draft, now, agent_id)
        ways: list[Resolved] = []
        states: list[ConversationState] = [] if seen is None else [seen]

        async def attempt() -> tuple[Sequence[Decided], int]:
            loaded = await conversation(self._sources.reader, tenant, conversation_id)
            states.append(name_of(loaded.state))
            turn = _turn(asking, loaded, states[0])
            found = await self._heard(loaded)
            way = await self._way(tenant, found, draft, now)
            reply = Reply(found, await self._subject(found), way)
            decided = composed(asking, loaded, reply, turn)
            await self._blobs.put(tenant, reply.subject, asking.blobs())
            ways.append(way)
            return decided, loaded.position

        try:
            position = await self._save(Command(tenant, command_id), attempt)
        except AlreadyDone as done:
            return await self._first_answer(tenant, asking.message_id, done.position)
        return Asked(asking.message_id, position, ways[-1])

    async def command(self, tenant: str, conversation_id: UUID, command: commands.Asked, *, command_id: UUID) -> int:
        """Take, release, close or open it again; the position, of what was there when it is so already.

        Raises:
            NotThere: this tenant has no such conversation.
            Refused: a rule says no, in a sentence.
            Conflict: the conversation went on three times meanwhile; ask again.
        """

        async def attempt() -> tuple[Sequence[Decided], int]:
            loaded = await conversation(self._sources.reader, tenant, conversation_id)
            return _next_of(loaded, decide(loaded.state, command)), loaded.position

        return await self._position(Command(tenant, command_id), attempt)

    async def withdraw(self, tenant: str, message_id: UUID, *, command_id: UUID, agent_id: UUID | None) -> int:
        """Take a message back before anything was sent: its customer waits again, unless another answer came after.

        Raises:
            NotThere: this tenant has no such message.
            Refused: it is too late.
        """

        async def attempt() -> tuple[Sequence[Decided], int]:
            message, version = await self._message(tenant, message_id)
            facts = withdrawn(message, agent_id)
            decided = [Decided(message_id, version + place, tenant, fact) for place, fact in enumerate(facts, 1)]
            return [*decided, *(await self._waits_again(tenant, message, agent_id) if facts else ())], message.position

        return await self._position(Command(tenant, command_id), attempt)

    async def judge(
        self,
        tenant: str,
        message_id: UUID,
        judged: Literal["arrived", "not_sent"],
        *,
        command_id: UUID,
        agent_id: UUID | None,
    ) -> int:
        """Settle a doubt: it arrived, or it is to be sent again.

        Raises:
            NotThere: this tenant has no such message.
            Refused: nobody is in doubt about it.
        """

        async def attempt() -> tuple[Sequence[Decided], int]:
            message, version = await self._message(tenant, message_id)
            facts = settled(message, judged, agent_id)
            decided = [Decided(message_id, version + place, tenant, fact) for place, fact in enumerate(facts, 1)]
            return decided, message.position

        return await self._position(Command(tenant, command_id), attempt)

    async def message(self, tenant: str, message_id: UUID) -> Message | None:
        """What became of it so far; None when this tenant has no such message."""
        try:
            found, _ = await self._message(tenant, message_id)
        except NotThere:
            return None
        return found

    async def _message(self, tenant: str, message_id: UUID) -> tuple[Message, int]:
        rows = [row for row in await self._sources.reader.streams([message_id]) if row.tenant == tenant]
        found = message_after(event_of(row) for row in rows)
        if found is None:
            raise NotThere("There is no such message.")
        return found, len(rows)

    async def _heard(self, loaded: Loaded) -> Heard:
        found = await heard(self._facts, loaded)
        if found is None:
            raise Refused(_ERASED)
        return found

    async def _subject(self, found: Heard) -> Subject:
        subject = (await self._sources.ring.by_ids([found.address_id]))[found.address_id]
        if subject is None:
            raise Refused(_ERASED)
        return subject

    async def _way(self, tenant: str, found: Heard, draft: Draft, now: datetime) -> Resolved:
        if draft.automatic and found.automatic != "human":
            raise Refused("A machine wrote this, and an automatic message never answers one.")
        resolution = resolve(await gathered(self._sources, tenant, found, draft), now)
        if isinstance(resolution, Unreachable):
            raise NoWay(resolution)
        return resolution

    async def _waits_again(self, tenant: str, message: Message, agent_id: UUID | None) -> Sequence[Decided]:
        of = message.asked
        if of.conversation_id is None:
            return ()
        loaded = await conversation(self._sources.reader, tenant, of.conversation_id)
        if loaded.answered_by != of.message_id:
            return ()
        return _next_of(loaded, decide(loaded.state, commands.Withdraw(agent_id, datetime.now(UTC))))

    async def _first_answer(self, tenant: str, message_id: UUID, position: int) -> Asked:
        message = await self.message(tenant, message_id)
        if message is None or message.first is None:
            raise Refused("This command id was used for something else.")
        said = message.asked.personal
        found = resolution_of(message.first, "" if said is None else said.text)
        if isinstance(found, Unreachable):
            raise NoWay(found)
        return Asked(message_id, position, found)

    async def _position(self, command: Command, attempt: Attempt) -> int:
        try:
            return await self._save(command, attempt)
        except AlreadyDone as done:
            return done.position

    async def _save(self, command: Command, attempt: Attempt) -> int:
        return await save_once(self._sources.record, self._decisions, command, attempt)


def _turn(asking: Asking, loaded: Loaded, seen: ConversationState) -> Sequence[ConversationFact]:
    """What nobody wrote for this customer answers nothing: they still wait."""
    if asking.draft.automatic:
        return ()
    return decide(loaded.state, commands.Answer(asking.message_id, asking.now, asking.agent_id, seen))


def _next_of(loaded: Loaded, facts: Sequence[ConversationFact]) -> list[Decided]:
    return [
        Decided(loaded.conversation_id, version, loaded.tenant, fact)
        for version, fact in enumerate(facts, loaded.version + 1)
    ]
