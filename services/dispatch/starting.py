"""What a look at the clock leads to: attempts that begin, fallbacks, doubts that are settled."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final, cast
from uuid import UUID

import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import PoolTimeout

from schemas.event import Undecodable
from services.dispatch import due, table
from services.dispatch.commands import FallBack, GiveUp, Start, Took
from services.dispatch.composing import ERASED
from services.dispatch.flights import Flight
from services.dispatch.known import Held
from services.dispatch.opened import Opened, opened
from services.dispatch.pacing import Pace
from services.dispatch.states import OnCourse
from services.dispatch.threads import Before, before
from services.dispatch.tools import Tools
from services.dispatch.turn import Turn
from services.keys.vault import Unsealable
from services.record.errors import Refused
from services.record.facts_below import FactsBelow

_CHUNK: Final = 20
_FAULT_SECONDS: Final = 60.0
_LOG: Final = structlog.get_logger()


class Starting:
    """Of one turn. `flights` are to be launched once the turn is saved."""

    def __init__(self, tools: Tools, connection: AsyncConnection, turn: Turn) -> None:
        """Nothing happens before `take`."""
        self._tools: Final = tools
        self._connection: Final = connection
        self._turn: Final = turn
        self.flights: Final[list[Flight]] = []

    async def take(self, found: due.Due, paces: Mapping[UUID, Pace]) -> None:
        """All that was found, but for messages that this turn knows more of than the tables did."""
        known = self._turn.known
        touched = known.messages.keys() | known.gone
        messages = {one: held for one, held in found.messages.items() if one not in touched}
        silent = {one: held for one, held in found.silent.items() if one not in touched}
        settled = {one: pair for one, pair in found.settled.items() if one not in touched}
        known.messages |= messages | silent | {one: held for one, (_, held) in settled.items()}
        await self._settle({one: receipts_as for one, (receipts_as, _) in settled.items()})
        if not (messages or silent):
            return
        streams = await self._opened([*messages, *silent])
        for message_id in silent:
            await self._fall_back(message_id, streams.get(message_id))
        await self._start(messages, streams, paces)

    async def _opened(self, ids: Sequence[UUID]) -> dict[UUID, Opened | None]:
        """None: it cannot be read, and another may well be."""
        try:
            found: dict[UUID, Opened | None] = {**opened(await self._tools.reader.streams(ids, on=self._connection))}
        except (Unsealable, Undecodable) as error:
            if len(ids) > 1:
                half = len(ids) // 2
                return await self._opened(ids[:half]) | await self._opened(ids[half:])
            _LOG.exception("dispatch.unreadable", message_id=str(ids[0]), error=type(error).__name__)
            return {ids[0]: None}
        return found

    async def _settle(self, names: Mapping[UUID, UUID]) -> None:
        if not names:
            return
        waiting = await table.load(self._connection, table.Wanted(taken=set(names.values())))
        self._turn.known.early |= waiting.early
        for message_id, receipts_as in names.items():
            attempt = _on_course(self._turn.known.messages[message_id]).course.attempt
            self._turn.took(message_id, Took(attempt, "", receipts_as))

    async def _fall_back(self, message_id: UUID, one: Opened | None) -> None:
        turn = self._turn
        if one is not None:
            way = await self._tools.next_ways.after(one, self._tools.zone(one.tenant), turn.now)
            if way is not None:
                with contextlib.suppress(Refused):
                    subject = await self._tools.composer.subject(one.asked.address_id)
                    turn.decide(message_id, FallBack(way), sealed_under=subject)
        # Fired is fired, whatever it led to.
        turn.disarm(message_id)

    async def _start(
        self, messages: Mapping[UUID, Held], streams: Mapping[UUID, Opened | None], paces: Mapping[UUID, Pace]
    ) -> None:
        ones = [one for message_id, one in streams.items() if one is not None and message_id in messages]
        befores, to_ids = await self._befores(ones), await self._tools.composer.receivers(ones)
        for number, (message_id, held) in enumerate(messages.items(), 1):
            if message_id not in streams:
                self._turn.decide(message_id, GiveUp("erased", ERASED))
                continue
            try:
                flight = await self._flight(held, streams[message_id], befores, paces)
            except Refused as refused:
                self._turn.decide(message_id, GiveUp("cannot_send", str(refused)))
            except (OperationalError, PoolTimeout):
                raise
            except Exception as error:  # noqa: BLE001 - one message that we fail on must not stop all others
                _LOG.exception("dispatch.not_begun", message_id=str(message_id), error=type(error).__name__)
                self._turn.postpone(message_id, _FAULT_SECONDS)
            else:
                if flight is None:
                    self._turn.postpone(message_id, _FAULT_SECONDS)
                elif self._turn.decide(message_id, Start()):
                    self._turn.note(message_id, to_ids.get(message_id))
                    self.flights.append(flight)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)

    async def _flight(
        self, held: Held, one: Opened | None, befores: Mapping[UUID, Before], paces: Mapping[UUID, Pace]
    ) -> Flight | None:
        if one is None:
            return None
        course, of = _on_course(held).course, one.asked.conversation_id
        known = None if of is None else befores.get(of)
        leaves = await self._tools.exits.find(held.tenant, course.way.inbox_id)
        message = await self._tools.composer.compose(one, leaves, known, course.attempt + 1, self._turn.now)
        return Flight(message, leaves.sender, paces[course.way.inbox_id])

    async def _befores(self, ones: Collection[Opened]) -> Mapping[UUID, Before]:
        conversations = {one.asked.conversation_id for one in ones} - {None}
        mailed = {one.asked.conversation_id for one in ones if _is_mail(one)} - {None}
        wanted = cast("set[UUID]", conversations), cast("set[UUID]", mailed)
        return await before(self._connection, FactsBelow(self._tools.record, self._tools.reader), *wanted)


def _on_course(held: Held) -> OnCourse:
    return cast("OnCourse", held.state)


def _is_mail(one: Opened) -> bool:
    return (one.resolved.channel or "").startswith("email/")
