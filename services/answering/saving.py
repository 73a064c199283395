"""A command of a person is carried out once: loaded, decided and saved; three tries when someone was faster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from psycopg_pool import AsyncConnectionPool

from services.record.decisions import Command, Decided, Decisions
from services.record.errors import AlreadyDone, Conflict, Refused

_TRIES: Final = 3
_FIND: Final = "SELECT position FROM record.commands WHERE tenant = %s AND command_id = %s"

Attempt = Callable[[], Awaitable[tuple[Sequence[Decided], int]]]
"""Loads and decides; gives what is to be saved, and the position to tell when that is nothing."""


async def save_once(record: AsyncConnectionPool, decisions: Decisions, command: Command, attempt: Attempt) -> int:
    """The position of what was saved.

    Raises:
        AlreadyDone: the command was carried out before, at that position.
        Refused: a rule says no.
        Conflict: someone was faster three times.
        psycopg.OperationalError: PostgreSQL is away; try again with the same command.
    """
    await _refuse_repeat(record, command)
    for tries_left in reversed(range(_TRIES)):
        try:
            decided, as_it_is = await attempt()
            saved = await asyncio.to_thread(decisions.save, decided, command=command)
        except Conflict:
            if not tries_left:
                raise
        except Refused:
            # What stands against it may be what its own first try, told of by nobody, led to.
            await _refuse_repeat(record, command)
            raise
        else:
            return as_it_is if saved is None else saved
    raise AssertionError


async def _refuse_repeat(record: AsyncConnectionPool, command: Command) -> None:
    async with record.connection() as connection:
        row = await (await connection.execute(_FIND, (command.tenant, command.command_id))).fetchone()
    if row is not None:
        raise AlreadyDone(row[0])
