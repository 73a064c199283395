"""Asks for the one message that a conversation is acknowledged by, or says why there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog
from psycopg import InterfaceError, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from schemas.interaction import InteractionReceived
from schemas.reference import reference
from services.acknowledging.opening import MOST_WAITED, Opening, Passed, is_old
from services.acknowledging.words import acknowledged
from services.answering.answering import Answering, Draft
from services.answering.asking import NotThere, NoWay
from services.answering.loaded import conversation
from services.conversations.states import Waiting
from services.customers.on_file import on_file
from services.record.errors import Conflict, Refused
from services.record.facts_below import FactsBelow
from services.record.reader import Reader, Row, event_of

Outcome = Literal["asked"] | Passed
AWAY: Final = (OperationalError, InterfaceError, PoolTimeout)
_LOG: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Acknowledger:
    """`record` and `reader` see all tenants; `clock` is the time."""

    record: AsyncConnectionPool
    reader: Reader
    facts: FactsBelow
    answering: Answering
    clock: Callable[[], datetime]

    async def take(self, one: Opening) -> Outcome:
        """What became of it; the same again changes nothing.

        Raises:
            psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout: PostgreSQL is away.
        """
        try:
            outcome = await self._take(one)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - one conversation that we fail on must not stop all others
            outcome = "failed"
            _LOG.warning("acknowledging.failed", error=type(error).__name__, conversation_id=str(one.conversation_id))
        told = _LOG.debug if outcome == "asked" else _LOG.info
        told(f"acknowledging.{outcome}", tenant=one.tenant, conversation_id=str(one.conversation_id))
        return outcome

    async def _take(self, one: Opening) -> Outcome:
        now = self.clock()
        if is_old(one, now):
            return "old"
        row = await self.facts.by_id(one.tenant, one.event_id, one.position)
        if row is None or row.erased:
            return "erased"
        found = await self._against(one, row, now)
        if found is not None:
            return found
        filed = await on_file(self.record, self.reader, one.tenant, row.subject)
        text = acknowledged(reference(one.event_id), (filed.language, one.language), one.texts)
        return await self._ask(one, Draft(text, automatic=True), now)

    async def _against(self, one: Opening, row: Row, now: datetime) -> Passed | None:
        fact = event_of(row).fact
        if not isinstance(fact, InteractionReceived) or fact.automatic != "human":
            return "machine"
        if now - row.occurred_at > MOST_WAITED:
            return "old"
        loaded = await conversation(self.reader, one.tenant, one.conversation_id)
        # Who was answered meanwhile knows that their message came.
        return None if isinstance(loaded.state, Waiting) else "not_waiting"

    async def _ask(self, one: Opening, draft: Draft, now: datetime) -> Outcome:
        try:
            await self.answering.ask(one.tenant, one.conversation_id, draft, command_id=one.command_id, now=now)
        except NoWay:
            return "no_way"
        except (NotThere, Refused, Conflict):
            # A conflict here is this very message, put back after its command was lost.
            return "refused"
        return "asked"
