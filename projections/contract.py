"""What a read model is: tables that can be dropped at any time, and the one function that fills them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import AsyncConnection

from schemas.event import Event
from schemas.topics import Topic

Apply: TypeAlias = Callable[[Sequence[Event], AsyncConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Projection:
    """A read model. Its tables live in a schema of their own per generation, see `projections.generation`.

    `ddl` and the SQL of `apply` name tables without a schema: the caller has set `search_path` for the transaction.
    `apply` runs SQL on the transaction that it is given and does nothing else. It may meet the same event again, and
    events in any order: both lead to the same rows. Raise `version` whenever the tables or their meaning change.
    """

    name: str
    version: int
    topics: tuple[Topic, ...]
    ddl: bytes
    apply: Apply
