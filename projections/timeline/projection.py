"""The timeline: every interaction of an address, with what became of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from projections.contract import Projection
from projections.timeline.rows import Batch, Row, batch_of
from schemas.event import Event

_HERE: Final = Path(__file__).parent
_STAGING: Final = (_HERE / "staging.sql").read_bytes()
_FOLD: Final = (_HERE / "fold.sql").read_bytes()
_TAKE_SENDINGS: Final = (_HERE / "sendings.sql").read_bytes()
_FOLD_RECEIPTS: Final = (_HERE / "receipts.sql").read_bytes()
_FOLD_OUTGOING: Final = (_HERE / "outgoing.sql").read_bytes()
_FOLD_CALLS: Final = (_HERE / "calls.sql").read_bytes()
_ORDER: Final = (_HERE / "order.sql").read_bytes()
_BEFORE: Final = (_HERE / "before.sql").read_bytes()
_AFTER: Final = (_HERE / "after.sql").read_bytes()
_STAGED: Final = (
    b"SELECT sum(pg_relation_size(to_regclass('pg_temp.timeline_new_' || name))) "
    b"FROM unnest(ARRAY['messages', 'receipts', 'calls', 'joined', 'sendings']) AS name"
)
_EMPTY: Final = (
    b"TRUNCATE timeline_new_messages, timeline_new_receipts, timeline_new_calls, timeline_new_withdrawn, "
    b"timeline_new_erased, timeline_new_joined, timeline_new_sendings, timeline_touched, timeline_touched_calls"
)
# What deleted rows may take before their space is given back: nothing vacuums a temporary table.
_MOST_BYTES: Final = 256 * 1024

# On the wire a json is its text.
_MESSAGE_TYPES: Final = (
    *("text", "uuid", "uuid", "int4", "int8", "uuid", "uuid", "text", "text", "text", "text", "text"),
    *("timestamptz", "timestamptz", "timestamptz", "text", "uuid", "text", "text", "text", "text", "text"),
)
_RECEIPT_TYPES: Final = (
    *("text", "uuid", "int4", "int8", "uuid", "uuid", "uuid", "text", "int2"),
    *("timestamptz", "timestamptz", "timestamptz", "text"),
)
_CALL_TYPES: Final = (
    *("text", "uuid", "int4", "int8", "uuid", "uuid", "uuid", "text", "text"),
    *("uuid", "bool", "int2", "bool", "int4", "int2", "uuid", "text"),
    *("timestamptz", "timestamptz", "timestamptz", "text", "text"),
)
_WITHDRAWN_TYPES: Final = ("text", "uuid", "int4")
_ERASED_TYPES: Final = ("text", "uuid")
_JOINED_TYPES: Final = ("text", "uuid", "uuid", "int8")
_SENDING_TYPES: Final = (
    *("text", "uuid", "int8", "uuid", "timestamptz", "int4", "text", "text", "timestamptz", "bool"),
    *("uuid", "int4", "text", "uuid", "text"),
)
_TYPES: Final = frozenset(
    {
        *("interaction.received", "receipt.reported", "fact.withdrawn", "address.erased"),
        *("conversation.opened", "conversation.joined"),
        *("call.progressed", "call.answered", "call.ended", "call.missed", "call.recorded"),
        *("message.asked", "message.resolved", "message.started", "message.handed_off", "message.refused"),
        *("message.in_doubt", "message.reported", "message.judged", "message.withdrawn", "message.failed"),
    }
)
# Rows of a larger piece would hold the loop for longer than others can wait.
_CHUNK: Final = 500


async def apply(events: Sequence[Event], tx: AsyncConnection) -> None:
    """Fold a batch in: copied to tables of the session, then a handful of statements for all of it."""
    if not any(event.fact.type in _TYPES for event in events):
        return
    await _make_room(tx)
    has_calls = has_receipts = has_sendings = False
    for first in range(0, len(events), _CHUNK):
        batch = batch_of(events[first : first + _CHUNK])
        takes_back = bool(batch.withdrawn or batch.erased)
        has_calls = has_calls or takes_back or bool(batch.calls)
        has_sendings = has_sendings or takes_back or bool(batch.sendings)
        has_receipts = has_receipts or has_sendings or bool(batch.receipts)
        await _stage(batch, tx)
    pieces = (
        *(_BEFORE, _FOLD),
        *((_TAKE_SENDINGS,) if has_sendings else ()),
        *((_FOLD_RECEIPTS,) if has_receipts else ()),
        *((_FOLD_OUTGOING,) if has_sendings else ()),
        *((_FOLD_CALLS,) if has_calls else ()),
        *(_ORDER, _AFTER),
    )
    await tx.execute(b"".join(pieces))


async def _make_room(tx: AsyncConnection) -> None:
    row = await (await tx.execute(_STAGED)).fetchone()
    if row is None or row[0] is None:
        await tx.execute(_STAGING)
    elif row[0] > _MOST_BYTES:
        await tx.execute(_EMPTY)


async def _stage(batch: Batch, tx: AsyncConnection) -> None:
    await _copy(tx, b"COPY timeline_new_messages FROM STDIN (FORMAT BINARY)", _MESSAGE_TYPES, batch.messages)
    await _copy(tx, b"COPY timeline_new_receipts FROM STDIN (FORMAT BINARY)", _RECEIPT_TYPES, batch.receipts)
    await _copy(tx, b"COPY timeline_new_calls FROM STDIN (FORMAT BINARY)", _CALL_TYPES, batch.calls)
    await _copy(tx, b"COPY timeline_new_withdrawn FROM STDIN (FORMAT BINARY)", _WITHDRAWN_TYPES, batch.withdrawn)
    await _copy(tx, b"COPY timeline_new_erased FROM STDIN (FORMAT BINARY)", _ERASED_TYPES, batch.erased)
    await _copy(tx, b"COPY timeline_new_sendings FROM STDIN (FORMAT BINARY)", _SENDING_TYPES, batch.sendings)
    await _copy(tx, b"COPY timeline_new_joined FROM STDIN (FORMAT BINARY)", _JOINED_TYPES, batch.joined)


async def _copy(tx: AsyncConnection, statement: bytes, types: Sequence[str], rows: Sequence[Row]) -> None:
    if not rows:
        return
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row(row)


TIMELINE: Final = Projection(
    name="timeline",
    version=4,
    topics=("cases", "customers", "interactions", "outbound"),
    ddl=(_HERE / "schema.sql").read_bytes(),
    apply=apply,
)
