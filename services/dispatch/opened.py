"""A message as it stands in the record, opened: what shall be said, to whom, and what was decided about the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from schemas.outbound import Explained, MessageAsked, MessageResolved, Said
from services.record.reader import Row, event_of


@dataclass(frozen=True, slots=True)
class Opened:
    """`resolved` is the way of the present round, `first` that of the first, with all that were rejected for it."""

    tenant: str
    asked: MessageAsked
    said: Said
    resolved: MessageResolved
    told: Explained
    first: MessageResolved
    first_told: Explained


def opened(rows: Iterable[Row]) -> dict[UUID, Opened]:
    """Messages by id. One whose key is destroyed is not among them.

    Raises:
        Undecodable: no fact that this version knows.
    """
    asked: dict[UUID, tuple[str, MessageAsked]] = {}
    resolved: dict[UUID, list[MessageResolved]] = {}
    for row in rows:
        if row.type not in ("message.asked", "message.resolved"):
            continue
        fact = event_of(row).fact
        if isinstance(fact, MessageAsked):
            asked[fact.message_id] = row.tenant, fact
        elif isinstance(fact, MessageResolved):
            resolved.setdefault(fact.message_id, []).append(fact)
    found: dict[UUID, Opened] = {}
    for message_id, (tenant, one) in asked.items():
        ways = resolved.get(message_id, [])
        first, last = (ways[0], ways[-1]) if ways else (None, None)
        if one.personal is None or first is None or last is None or first.personal is None or last.personal is None:
            continue
        found[message_id] = Opened(tenant, one, one.personal, last, last.personal, first, first.personal)
    return found
