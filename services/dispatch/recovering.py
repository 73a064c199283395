"""What an earlier life left behind: attempts without an end, and facts that it could not read."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog
from psycopg import Cursor
from psycopg.rows import DictRow

from services.deciding import undecided
from services.dispatch import due, table
from services.dispatch.commands import Doubt
from services.dispatch.hearing import Told, take_in
from services.dispatch.known import Known
from services.dispatch.states import Started
from services.dispatch.tools import Tools
from services.dispatch.turn import Turn
from services.record.decisions import Lease
from services.record.errors import Refused

_WHY: Final = "Our process ended while it was being handed over: nobody knows whether the provider took it."
_LOG: Final = structlog.get_logger()


async def interrupted(tools: Tools, held: Lease) -> None:
    """Attempts that began and are not on their way here: in doubt, or again where the provider knows a repeat.

    Raises:
        Fenced: another process dispatches now.
        psycopg.OperationalError: PostgreSQL is away.
    """
    ids = {one for one in await due.started(tools.record) if not tools.flights.has(one)}
    if not ids:
        return
    async with tools.record.connection() as connection:
        known = await table.load(connection, table.Wanted(ids))
    turn = Turn(known, tools.exits.patience, datetime.now(UTC))
    for message_id in ids:
        one = known.messages.get(message_id)
        if one is None or not isinstance(one.state, Started):
            continue
        course = one.state.course
        if await _knows_repeats(tools, one.tenant, course.way.inbox_id):
            turn.resume(message_id)
        else:
            turn.decide(message_id, Doubt(course.attempt, _WHY))
    _LOG.warning("dispatch.interrupted", messages=len(ids), in_doubt=len(turn.decided))
    put = table.saver(turn.known)
    await asyncio.to_thread(tools.decisions.save, turn.decided, lease=held, within=put)


async def set_aside(tools: Tools, held: Lease) -> None:
    """Messages of which a fact could not be read are followed again from their beginning, if they can be now.

    Raises:
        Fenced, psycopg.OperationalError: as `interrupted`.
    """
    for subject, positions in (await undecided.read(tools.record, table.PLACE.name)).items():
        turn = Turn(Known(), tools.exits.patience, datetime.now(UTC))
        rows = await tools.reader.streams([subject])
        if take_in(turn, [Told(row) for row in rows]):
            continue
        save = _taken(table.saver(turn.known), positions)
        await asyncio.to_thread(tools.decisions.save, [], lease=held, within=save)


def _taken(put: table.InTransaction, positions: list[int]) -> Callable[[Cursor[DictRow]], None]:
    def within(cursor: Cursor[DictRow]) -> None:
        undecided.take(cursor, table.PLACE.name, positions)
        put(cursor)

    return within


async def _knows_repeats(tools: Tools, tenant: str, inbox_id: UUID) -> bool:
    try:
        return (await tools.exits.find(tenant, inbox_id)).sender.idempotent
    except Refused:
        return False
