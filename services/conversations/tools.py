"""What a decider works with."""

from dataclasses import dataclass

from psycopg_pool import AsyncConnectionPool

from services.keys.ring import Ring
from services.record.decisions import Decisions
from services.record.reader import Reader


@dataclass(frozen=True, slots=True)
class Tools:
    """`record` is a pool to RECORD_URL in the role of deciders, on which the reader stands too."""

    record: AsyncConnectionPool
    reader: Reader
    ring: Ring
    decisions: Decisions
