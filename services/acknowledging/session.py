"""One life of the decider: reads what was opened, in the order of the record, with the settings in force there.

What is asked for has an id that is derived from its conversation. So the position is only where to go on: it is kept
once a second, and whoever reads a piece again asks for nothing twice.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from psycopg import Cursor
from psycopg.rows import DictRow

from schemas.event import Undecodable
from services.acknowledging.acknowledger import Acknowledger, Outcome
from services.acknowledging.opening import Opening, opening_of
from services.deciding import progress
from services.deciding.progress import Place, Progress
from services.record.decisions import Decisions, Lease
from services.record.errors import Refused
from services.record.reader import Row
from services.tenancy.register import SETTLED_AFTER, Register

PLACE: Final = Place("acknowledging", lookups=1)
_TOPICS: Final = ("cases", "settings")
_MOST: Final = 500
_AT_ONCE: Final = 8
_POLL_SECONDS: Final = (0.05, 0.2)
_KEEP_SECONDS: Final = 1.0
_LOG: Final = structlog.get_logger()


@dataclass(slots=True)
class Told:
    """Of this process, for whoever watches."""

    progress: Progress = field(default_factory=Progress)
    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])


class Session:
    """Ends with an exception, whatever goes wrong; the next session begins from what the record says."""

    def __init__(self, acknowledger: Acknowledger, decisions: Decisions, held: Lease, told: Told) -> None:
        """`told` hears how far it is, and what became of each."""
        self._acknowledger: Final = acknowledger
        self._decisions: Final = decisions
        self._held: Final = held
        self._told: Final = told
        self._register = Register()
        self._position = self._kept = self._head = 0
        self._keep_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`. The first start of all begins at the record's end: what came before is history.

        Raises:
            Fenced: another process decides now.
            Moved: the position is not where we left it.
            psycopg.OperationalError, PoolTimeout: PostgreSQL is away.
        """
        record, reader = self._acknowledger.record, self._acknowledger.reader
        self._head = await reader.head()
        self._position, _ = await progress.begin(record, PLACE, first=self._head)
        self._kept = self._position
        await self._settled()
        wait_seconds = _POLL_SECONDS[0]
        while not stop.is_set():
            await self._keep()
            rows = await reader.read(self._position, _MOST, topics=_TOPICS)
            if rows:
                wait_seconds = _POLL_SECONDS[0]
                self._told.progress.waiting_since = rows[0].recorded_at
                await self._work_off(rows, stop)
                if len(rows) < _MOST:
                    await asyncio.sleep(_POLL_SECONDS[0])
                continue
            # Below an end that was seen before this reading there is nothing for us.
            self._position = max(self._position, self._head)
            self._told.progress.looked(self._position, 0)
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _POLL_SECONDS[1])
        await self._keep(now=True)

    async def _settled(self) -> None:
        async with self._acknowledger.record.connection() as connection:
            rows = await (await connection.execute(SETTLED_AFTER, (0,))).fetchall()
        for position, tenant, state in rows:
            if position <= self._position:
                self._register.apply(position, tenant, state)

    async def _work_off(self, rows: Sequence[Row], stop: asyncio.Event) -> None:
        opened = self._opened(rows)
        for first in range(0, len(opened), _AT_ONCE):
            if stop.is_set():
                # A setting that was read is in force already: the next session reads all of these again.
                return
            await self._take(opened[first : first + _AT_ONCE])
        self._position = rows[-1].position
        self._told.progress.looked(self._position, len(opened))

    def _opened(self, rows: Sequence[Row]) -> list[Opening]:
        found: list[Opening] = []
        for row in rows:
            if row.topic == "settings":
                self._register.apply(row.position, row.tenant, row.payload)
                continue
            try:
                one = opening_of(row, self._register)
            except (Undecodable, Refused) as error:
                _LOG.warning("acknowledging.unknown", position=row.position, reason=str(error))
            else:
                found += [] if one is None else [one]
        return found

    async def _take(self, ones: Sequence[Opening]) -> None:
        ended = await asyncio.gather(*(self._acknowledger.take(one) for one in ones), return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
            self._told.outcomes[outcome] += 1

    async def _keep(self, *, now: bool = False) -> None:
        """Once a second: where to go on, and where the record ends."""
        if time.monotonic() < self._keep_at and not now:
            return
        self._keep_at = time.monotonic() + _KEEP_SECONDS
        before, after = self._kept, self._position
        if after != before:

            def within(cursor: Cursor[DictRow]) -> None:
                progress.move(cursor, PLACE, before, after)

            await asyncio.to_thread(self._decisions.save, [], lease=self._held, within=within)
            self._kept = after
        self._head = await self._acknowledger.reader.head()
