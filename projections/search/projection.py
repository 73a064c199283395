"""What was written and by whom, to be found by words and by parts of addresses.

In a set of its own: PostgreSQL moves what waits for the index of words in bursts of some 100 ms, for which no timeline
shall wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection

from projections.contract import Projection
from projections.effective import effective_at
from projections.search.folding import fold_text, words_of
from schemas.customer import AddressErased
from schemas.event import Event
from schemas.interaction import FactWithdrawn, InteractionReceived
from schemas.outbound import MessageAsked

_HERE: Final = Path(__file__).parent
_STAGING: Final = (_HERE / "staging.sql").read_bytes()
_FOLD: Final = (_HERE / "fold.sql").read_bytes()
_STAGED: Final = b"SELECT pg_total_relation_size(to_regclass('pg_temp.search_new_entries'))"
_EMPTY: Final = b"TRUNCATE search_new_entries, search_new_withdrawn, search_new_erased"
# What deleted rows may take before their space is given back: nothing vacuums a temporary table.
_MOST_BYTES: Final = 1024 * 1024
_ENTRY_TYPES: Final = ("text", "uuid", "uuid", "int4", "int8", "uuid", "timestamptz", "text", "text[]")
# Folding a larger piece would hold the loop for longer than others can wait.
_CHUNK: Final = 100

Row = tuple[Any, ...]


@dataclass(slots=True)
class _Batch:
    entries: list[Row] = field(default_factory=list[Row])
    withdrawn: list[Row] = field(default_factory=list[Row])
    erased: list[Row] = field(default_factory=list[Row])


async def apply(events: Sequence[Event], tx: AsyncConnection) -> None:
    """Fold a batch in: copied to tables of the session, then a handful of statements for all of it."""
    if not any(
        isinstance(one.fact, (InteractionReceived, MessageAsked, FactWithdrawn, AddressErased)) for one in events
    ):
        return
    await _make_room(tx)
    for first in range(0, len(events), _CHUNK):
        batch = _batch_of(events[first : first + _CHUNK])
        await _copy(tx, b"COPY search_new_entries FROM STDIN (FORMAT BINARY)", _ENTRY_TYPES, batch.entries)
        await _copy(
            tx, b"COPY search_new_withdrawn FROM STDIN (FORMAT BINARY)", ("text", "uuid", "int4"), batch.withdrawn
        )
        await _copy(tx, b"COPY search_new_erased FROM STDIN (FORMAT BINARY)", ("text", "uuid"), batch.erased)
    await tx.execute(_FOLD)


async def _make_room(tx: AsyncConnection) -> None:
    row = await (await tx.execute(_STAGED)).fetchone()
    if row is None or row[0] is None:
        await tx.execute(_STAGING)
    elif row[0] > _MOST_BYTES:
        await tx.execute(_EMPTY)


def _batch_of(events: Sequence[Event]) -> _Batch:
    batch = _Batch()
    for event in events:
        match event.fact:
            case InteractionReceived(interaction_id=interaction_id, personal=said):
                texts = () if said is None else (said.name, said.subject, said.text)
                address = None if said is None else said.address
                batch.entries.append(_entry(event, interaction_id, event.subject, address, texts))
            case MessageAsked(message_id=message_id, address_id=address_id, personal=said):
                texts = () if said is None else (said.text,)
                batch.entries.append(_entry(event, message_id, address_id, said and said.address, texts))
            case FactWithdrawn() as fact:
                batch.withdrawn.append((event.tenant, fact.withdrawn_event_id, fact.withdrawn_revision))
            case AddressErased() as fact:
                batch.erased.append((event.tenant, fact.address_id))
            case _:
                pass
    return batch


def _entry(
    event: Event, interaction_id: object, address_id: object, address: str | None, texts: Sequence[str | None]
) -> Row:
    folded = None if address is None else known_as(address)
    words = words_of(" ".join(text for text in (folded, *texts) if text))
    return (
        event.tenant,
        interaction_id,
        event.event_id,
        event.revision,
        event.position,
        address_id,
        effective_at(event.occurred_at, event.recorded_at),
        folded,
        # Sorted, so that the same event makes the same row.
        [f"{event.tenant}:{word}" for word in sorted(words)],
    )


def known_as(address: str) -> str:
    """An address as its parts are looked for: without its scheme and a number's plus."""
    scheme, _, rest = address.partition(":")
    return fold_text((rest or scheme).replace("\0", "\ufffd")).lstrip("+")


async def _copy(tx: AsyncConnection, statement: bytes, types: Sequence[str], rows: Sequence[Row]) -> None:
    if not rows:
        return
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row(row)


SEARCH: Final = Projection(
    name="search",
    version=1,
    topics=("customers", "interactions", "outbound"),
    ddl=(_HERE / "schema.sql").read_bytes(),
    apply=apply,
)
