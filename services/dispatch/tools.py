"""What dispatch works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from services.dispatch.composing import Composer
from services.dispatch.exits import Exits
from services.dispatch.falling_back import NextWays
from services.dispatch.flights import Flights
from services.dispatch.pacing import Pace
from services.record.decisions import Decisions
from services.record.reader import Reader


@dataclass(frozen=True, slots=True)
class Tools:
    """`record` is a pool to RECORD_URL in the role of deciders; `zone` says which time zone a tenant lives in."""

    record: AsyncConnectionPool
    reader: Reader
    decisions: Decisions
    exits: Exits
    flights: Flights
    composer: Composer
    next_ways: NextWays
    zone: Callable[[str], str]
    paces: dict[UUID, Pace] = field(default_factory=dict[UUID, Pace])
    """By inbox. As flights, they outlive a session: a provider is no less away because we begin again."""
