"""A read model that is wrong on purpose: it counts how often each event is applied, so that twice shows."""

from collections.abc import Sequence
from typing import Final

from psycopg import AsyncConnection

from projections.contract import Projection
from schemas.event import Event
from schemas.interaction import InteractionReceived

BOOM: Final = "boom"


async def _count(events: Sequence[Event], tx: AsyncConnection) -> None:
    for event in events:
        await tx.execute(
            "INSERT INTO applied (event_id, position) VALUES (%s, %s) "
            "ON CONFLICT (event_id) DO UPDATE SET times = applied.times + 1",
            (event.event_id, event.position),
        )


async def _fail_on_boom(events: Sequence[Event], tx: AsyncConnection) -> None:
    for event in events:
        fact = event.fact
        if isinstance(fact, InteractionReceived) and fact.personal is not None and fact.personal.text == BOOM:
            await tx.execute("SELECT 1 / 0")
    await _count(events, tx)


COUNTING: Final = Projection(
    name="counting",
    version=1,
    topics=("interactions",),
    ddl=b"CREATE TABLE applied (event_id uuid PRIMARY KEY, position bigint NOT NULL, times integer NOT NULL DEFAULT 1)",
    apply=_count,
)
FAILING: Final = Projection("counting", 1, ("interactions",), COUNTING.ddl, _fail_on_boom)
