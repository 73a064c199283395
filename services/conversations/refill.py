"""The lookup tables filled again from the record: from what was decided, and the facts that it was decided on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import DictRow

from schemas.conversation import (
    ConversationAnswered,
    ConversationClosed,
    ConversationFact,
    ConversationJoined,
    ConversationOpened,
    ConversationReopened,
)
from services.conversations import lookups
from services.conversations.batch import of_call
from services.conversations.call import outcome_of, with_report
from services.conversations.conversation import evolve
from services.conversations.known import Held, Known, KnownCall, Sender
from services.conversations.states import NoConversation
from services.conversations.tools import Tools
from services.conversations.touches import TOPICS, Erased, Item, Touch, inbox_of, is_mail, item_of
from services.deciding import progress
from services.record.decisions import Lease
from services.record.reader import Row, event_of

_PAGE: Final = 1_000
_EMPTY: Final = b"""
    TRUNCATE service.conversations, service.conversation_senders, service.conversation_mails,
        service.conversation_calls"""
_DECIDED: Final = (
    *(ConversationOpened, ConversationJoined, ConversationAnswered, ConversationClosed, ConversationReopened),
)


async def refill(tools: Tools, held: Lease, position: int) -> None:
    """Empty them and read the record again, up to what was decided on. How fast mails came lately is forgotten.

    Killed on the way, it begins again: the tables are of this version only when all of it is there.

    Raises:
        Fenced: another process decides now.
        psycopg.OperationalError: PostgreSQL is away.
    """
    filling, after = _Filling(tools, held), 0
    await filling.save(Known(), lambda cursor: cursor.execute(_EMPTY) and None)
    while rows := await tools.reader.read(after, _PAGE, topics=(*TOPICS, "cases"), opens=is_mail):
        await filling.page([row for row in rows if row.topic == "cases" or row.position <= position])
        after = rows[-1].position
    await filling.save(Known(), lambda cursor: progress.refilled(cursor, lookups.PLACE))


class _Filling:
    def __init__(self, tools: Tools, held: Lease) -> None:
        self._tools: Final = tools
        self._held: Final = held
        # What was read and not yet decided on, as far as the reading has come.
        self._open: Final[dict[UUID, Touch]] = {}

    async def page(self, rows: Sequence[Row]) -> None:
        steps = [(row, await self._read(row)) for row in rows]
        items = [step for _, step in steps if isinstance(step, (Touch, Erased))]
        decided = [step for _, step in steps if isinstance(step, _DECIDED)]
        ids = {fact.conversation_id for fact in decided}
        items += [
            self._open[fact.interaction_id]
            for fact in decided
            if isinstance(fact, (ConversationOpened, ConversationJoined)) and fact.interaction_id in self._open
        ]
        async with self._tools.record.connection() as connection:
            known = await lookups.load(connection, items, ids)
        for row, step in steps:
            self._take(known, row, step)
        await self.save(known, None)

    async def save(self, known: Known, also: lookups.InTransaction | None) -> None:
        put = lookups.saver(known)

        def within(cursor: Cursor[DictRow]) -> None:
            put(cursor)
            if also is not None:
                also(cursor)

        await asyncio.to_thread(self._tools.decisions.save, [], lease=self._held, within=within)

    async def _read(self, row: Row) -> Item | ConversationFact | None:
        if row.topic != "cases":
            return await item_of(row, self._tools.ring)
        fact = event_of(row).fact
        return fact if isinstance(fact, _DECIDED) else None

    def _take(self, known: Known, row: Row, step: Item | ConversationFact | None) -> None:
        match step:
            case None:
                return
            case Erased():
                known.erase(step.address_id)
                for interaction_id in [one for one, by in self._open.items() if by.address_id == step.address_id]:
                    del self._open[interaction_id]
            case Touch():
                if step.revision == 1 or step.event_id not in known.decided_before:
                    self._note(known, step)
            case _:
                self._decided(known, row, step)

    def _note(self, known: Known, touch: Touch) -> None:
        interaction_id = touch.fact.interaction_id
        if not touch.is_call:
            self._open[interaction_id] = touch
            return
        call = _with_report(known, touch)
        known.put_call(interaction_id, call)
        if call.conversation_id is None:
            self._open[interaction_id] = of_call(touch, call.so_far)

    def _decided(self, known: Known, row: Row, fact: ConversationFact) -> None:
        before = known.conversations.get(fact.conversation_id)
        after = evolve(NoConversation() if before is None else before.state, fact)
        if isinstance(after, NoConversation):
            return
        version = 1 if before is None else before.version + 1
        known.put_conversation(fact.conversation_id, Held(row.tenant, version, after))
        if not isinstance(fact, (ConversationOpened, ConversationJoined)):
            return
        touch = self._open.pop(fact.interaction_id, None)
        if touch is None:
            return
        known.put_mail(touch, fact.conversation_id)
        call = known.calls.get(fact.interaction_id)
        if call is not None:
            known.put_call(fact.interaction_id, replace(call, conversation_id=fact.conversation_id))
        if (after.about.address_id, after.about.inbox_id) == (touch.address_id, inbox_of(touch.inbox_id)):
            sender = known.senders.get(touch.sender) or Sender(touch.tenant)
            known.put_sender(touch.sender, replace(sender, conversation_id=fact.conversation_id))


def _with_report(known: Known, touch: Touch) -> KnownCall:
    before = known.calls.get(touch.fact.interaction_id)
    so_far = with_report(None if before is None else before.so_far, touch.fact, touch.address_id, touch.inbox_id)
    call = replace(before, so_far=so_far) if before is not None else KnownCall(touch.tenant, so_far)
    return replace(call, outcome=outcome_of(so_far) or call.outcome)
