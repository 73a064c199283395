"""The working tables: a piece of them loaded for a turn, and what the turn made of it saved with its decisions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from psycopg import AsyncConnection, AsyncCursor, Cursor
from psycopg.rows import DictRow

from services.deciding.progress import Place
from services.dispatch.known import Held, Known, Receipt
from services.dispatch.states import NAMES, About, Asked, Course, Due, HandedOff, Way, named
from services.record import arrays

Query: TypeAlias = Sequence[object] | Mapping[str, object]
InTransaction: TypeAlias = Callable[[Cursor[DictRow]], None]

PLACE: Final = Place("dispatch", lookups=1)
_KINDS: Final = (
    *("message_id uuid", "tenant text", "version int", "place bigint", "state text", "address_id uuid"),
    *("conversation_id uuid", "automatic boolean", "undo_until timestamptz", "channel text", "inbox_id uuid"),
    *("round smallint", "has_next boolean", "attempt int", "tries int", "since_at timestamptz", "due_at timestamptz"),
    *("reported text", "to_id uuid", "started_at timestamptz", "fallback_at timestamptz"),
)
_ARRAYS: Final[dict[str, Callable[[Iterable[Any]], arrays.Array]]] = {
    "uuid": arrays.uuids,
    "text": arrays.texts,
    "int": arrays.ints,
    "bigint": arrays.bigs,
    "boolean": arrays.booleans,
    "timestamptz": arrays.times,
    "smallint": arrays.smalls,
}
_NAMES: Final = [kind.partition(" ")[0] for kind in _KINDS]
COLUMNS: Final = ", ".join(f"m.{name}" for name in _NAMES)
_BY_ID: Final = f"SELECT {COLUMNS} FROM service.messages AS m WHERE m.message_id = ANY(%s)"
_BY_RECEIPT: Final = """
    SELECT receipts_as, message_id, attempt FROM service.message_handoffs WHERE receipts_as = ANY(%s)"""
_WAITING_FOR_A_WORD: Final = """
    SELECT message_id FROM service.messages
    WHERE fallback_at IS NOT NULL
        AND (address_id = ANY(%(people)s) OR to_id = ANY(%(people)s) OR conversation_id = ANY(%(conversations)s))"""
_EARLY: Final = """
    SELECT receipts_as, state, code, address_id, inbox_id, recorded_at FROM service.early_receipts
    WHERE receipts_as = ANY(%s) ORDER BY recorded_at"""
_PUT: Final = f"""
    INSERT INTO service.messages ({", ".join(_NAMES)}, changed_at)
    SELECT given.*, clock_timestamp()
    FROM unnest({", ".join(f"%s::{kind.partition(' ')[2]}[]" for kind in _KINDS)}) AS given
    ON CONFLICT (message_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])},
        changed_at = excluded.changed_at"""
_END: Final = "DELETE FROM service.messages WHERE message_id = ANY(%s)"
_PUT_HANDOFFS: Final = """
    INSERT INTO service.message_handoffs (receipts_as, message_id, attempt)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[])
    ON CONFLICT (receipts_as) DO UPDATE SET message_id = excluded.message_id, attempt = excluded.attempt"""
_PUT_EARLY: Final = """
    INSERT INTO service.early_receipts (receipts_as, state, code, address_id, inbox_id, recorded_at)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::timestamptz[])
    ON CONFLICT DO NOTHING"""
_TAKE_EARLY: Final = "DELETE FROM service.early_receipts WHERE receipts_as = ANY(%s)"
EMPTY: Final = "TRUNCATE service.messages, service.message_handoffs, service.early_receipts"


@dataclass(slots=True)
class Wanted:
    """What a turn may meet: messages by id, receipts by their name, and who wrote to us."""

    messages: set[UUID] = field(default_factory=set[UUID])
    receipts: set[UUID] = field(default_factory=set[UUID])
    people: set[UUID] = field(default_factory=set[UUID])
    conversations: set[UUID] = field(default_factory=set[UUID])
    taken: set[UUID] = field(default_factory=set[UUID])
    """Names that receipts will have of what was just handed off."""


async def load(connection: AsyncConnection, wanted: Wanted) -> Known:
    """In two trips whatever their number; none when nothing is wanted."""
    known, ids = Known(), set(wanted.messages)
    is_about_words = wanted.people or wanted.conversations
    if not (ids or wanted.receipts or is_about_words or wanted.taken):
        return known
    words = {"people": list(wanted.people), "conversations": list(wanted.conversations)}
    async with connection.pipeline():
        receipts = await _if(connection, bool(wanted.receipts), _BY_RECEIPT, (list(wanted.receipts),))
        waiting = await _if(connection, bool(is_about_words), _WAITING_FOR_A_WORD, words)
        early = await _if(connection, bool(wanted.taken), _EARLY, (list(wanted.taken),))
    for receipts_as, message_id, attempt in [] if receipts is None else await receipts.fetchall():
        known.handoffs[receipts_as] = message_id, attempt
        ids.add(message_id)
    ids |= set() if waiting is None else {row[0] for row in await waiting.fetchall()}
    for row in [] if early is None else await early.fetchall():
        known.early.setdefault(row[0], []).append(Receipt(*row))
    if ids:
        cursor = await connection.execute(_BY_ID.encode(), (list(ids),), binary=True)
        known.messages.update(held_of(row) for row in await cursor.fetchall())
    return known


async def _if(
    connection: AsyncConnection, wanted: bool, statement: str, arguments: Query
) -> AsyncCursor[tuple[Any, ...]] | None:
    return await connection.execute(statement.encode(), arguments, binary=True) if wanted else None


def saver(known: Known) -> InTransaction:
    """Saves what a turn changed, within the transaction of its decisions."""
    rows = [_row(one, known.messages[one]) for one in sorted(known.changed)]
    handoffs = [(one, *known.handoffs[one]) for one in known.new_handoffs if known.handoffs[one][0] not in known.gone]
    early = [
        (one.receipts_as, one.state, one.code, one.address_id, one.inbox_id, one.recorded_at) for one in known.put_early
    ]
    statements: list[tuple[str, Sequence[Sequence[object] | arrays.Array]]] = [
        (_END, [list(known.gone)]),
        (_PUT, _arrays(rows)),
        (_PUT_HANDOFFS, _columns(handoffs)),
        (_TAKE_EARLY, [list(known.taken_early)]),
        (_PUT_EARLY, _columns(early)),
    ]

    def save(cursor: Cursor[DictRow]) -> None:
        for statement, arguments in statements:
            if arguments and arguments[0]:
                cursor.execute(statement.encode(), arguments)

    return save


def held_of(row: Sequence[Any]) -> tuple[UUID, Held]:
    """A row of `COLUMNS`."""
    message_id, tenant, version, place, state, address_id, conversation_id, automatic, undo_until, *rest = row
    channel, inbox_id, turn, has_next, attempt, tries, since_at, due_at, reported, *side = rest
    about = About(message_id, address_id, conversation_id, automatic, undo_until)
    if state == "asked":
        return message_id, Held(tenant, version, place, Asked(about), *side)
    course = Course(about, Way(channel, inbox_id, turn, has_next), attempt, tries, since_at)
    return message_id, Held(tenant, version, place, named(state, course, due_at, reported), *side)


def _row(message_id: UUID, held: Held) -> tuple[object, ...]:
    state = held.state
    about = state.about if isinstance(state, Asked) else state.course.about
    row = (
        *(message_id, held.tenant, held.version, held.place, NAMES[type(state)]),
        *(about.address_id, about.conversation_id, about.automatic, about.undo_until),
    )
    side = (held.to_id, held.started_at, held.fallback_at)
    if isinstance(state, Asked):
        return (*row, *[None] * 9, *side)
    course, way = state.course, state.course.way
    due_at: datetime | None = state.due_at if isinstance(state, Due) else None
    reported = state.reported if isinstance(state, HandedOff) else None
    return (
        *(*row, way.channel, way.inbox_id, way.round, way.has_next),
        *(course.attempt, course.tries, course.since_at, due_at, reported, *side),
    )


def _arrays(rows: Collection[tuple[object, ...]]) -> list[arrays.Array]:
    """Of rows of `_KINDS`."""
    columns = zip(_KINDS, zip(*rows, strict=True), strict=True) if rows else ()
    return [_ARRAYS[kind.partition(" ")[2]](column) for kind, column in columns]


def _columns(rows: Collection[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
