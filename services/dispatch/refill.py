"""The working tables filled again from the record. Receipts that nothing explains yet are among them again."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from psycopg import Cursor
from psycopg.rows import DictRow

from services.deciding import progress
from services.dispatch import due, table
from services.dispatch.hearing import TOPICS, heard, take_in, wanted_for
from services.dispatch.known import Known
from services.dispatch.opened import opened
from services.dispatch.tools import Tools
from services.dispatch.turn import Turn
from services.record.decisions import Lease

_PAGE: Final = 1_000


async def refill(tools: Tools, held: Lease, position: int) -> None:
    """Empty them and read the record again, up to what was heard. Killed on the way, it begins again.

    Raises:
        Fenced: another process dispatches now.
        psycopg.OperationalError: PostgreSQL is away.
    """
    await _save(tools, held, Known(), table.EMPTY)
    after = 0
    while rows := await tools.reader.read(after, _PAGE, topics=TOPICS, opens=opens_nothing):
        after = rows[-1].position
        # What was decided here is in the tables at once, whatever was heard by then.
        found = [heard(row) for row in rows if row.position <= position or row.topic == "outbound"]
        items = [item for item in found if item is not None]
        wanted = wanted_for(items)
        async with tools.record.connection() as connection:
            known = await table.load(connection, wanted)
        turn = Turn(known, tools.exits.patience, datetime.now(UTC), again=True)
        take_in(turn, items)
        await _save(tools, held, turn.known, None)
    await _name_receivers(tools, held)
    await _save(tools, held, Known(), None, is_last=True)


async def _name_receivers(tools: Tools, held: Lease) -> None:
    """Whom a message went to is only in its sealed part, and only of these it still matters."""
    ids = await due.without_receiver(tools.record)
    for first in range(0, len(ids), _PAGE):
        some = ids[first : first + _PAGE]
        async with tools.record.connection() as connection:
            known = await table.load(connection, table.Wanted(set(some)))
        turn = Turn(known, tools.exits.patience, datetime.now(UTC))
        streams = opened(await tools.reader.streams(some))
        for message_id, to_id in (await tools.composer.receivers(list(streams.values()))).items():
            turn.note(message_id, to_id)
        await _save(tools, held, turn.known, None)


def opens_nothing(_: bytes) -> bool:
    """For reading: nothing that is decided on here is personal."""
    return False


async def _save(tools: Tools, held: Lease, known: Known, statement: str | None, *, is_last: bool = False) -> None:
    put = table.saver(known)

    def within(cursor: Cursor[DictRow]) -> None:
        if statement is not None:
            cursor.execute(statement.encode())
        put(cursor)
        if is_last:
            progress.refilled(cursor, table.PLACE)

    await asyncio.to_thread(tools.decisions.save, [], lease=held, within=within)
