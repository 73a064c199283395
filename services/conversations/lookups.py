"""The lookup tables: a piece of them loaded for a batch, and what the batch made of it saved with its decisions."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

import orjson
from psycopg import AsyncConnection, Cursor
from psycopg.rows import DictRow

from schemas.conversation import ConversationFact
from schemas.event import read_fact
from services.conversations.belonging import Pace
from services.conversations.call import CallSoFar
from services.conversations.conversation import evolve
from services.conversations.known import Held, Known, KnownCall, KnownMail, Sender
from services.conversations.states import About, name_of, named, waits_for_of
from services.conversations.touches import Item, Touch
from services.deciding.progress import Place

InTransaction: TypeAlias = Callable[[Cursor[DictRow]], None]

PLACE: Final = Place("conversations", lookups=1)

_SENDERS: Final = """
    SELECT s.address_id, s.inbox_id, s.tenant, s.conversation_id, s.level, s.level_at
    FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (address_id, inbox_id)
    JOIN service.conversation_senders AS s USING (address_id, inbox_id)"""
_MAILS: Final = """
    SELECT digest, conversation_id, address_id, referred FROM service.conversation_mails WHERE digest = ANY(%s)"""
_CALLS: Final = """
    SELECT interaction_id, tenant, so_far, outcome, conversation_id FROM service.conversation_calls
    WHERE interaction_id = ANY(%s)"""
_DECIDED: Final = """
    SELECT s.event_id FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS again (event_id, revision, tenant)
    JOIN record.seen AS s ON s.event_id = again.event_id AND s.tenant = again.tenant AND s.revision < again.revision"""
_CONVERSATIONS: Final = """
    SELECT conversation_id, tenant, version, address_id, inbox_id, channel, interactions, state, since_at, waits_for
    FROM service.conversations WHERE conversation_id = ANY(%s)"""
# What people decided since: the row of a conversation is that of our last decision on it.
_NEWER: Final = """
    SELECT d.originator_id, d.originator_version, d.state
    FROM service.conversations AS c
    JOIN record.decisions AS d ON d.originator_id = c.conversation_id AND d.originator_version > c.version
    WHERE c.conversation_id = ANY(%s) ORDER BY 1, 2"""

_PUT_CONVERSATIONS: Final = """
    INSERT INTO service.conversations AS c (conversation_id, tenant, version, address_id, inbox_id, channel,
        interactions, state, since_at, waits_for)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::text[],
        %s::timestamptz[], %s::text[])
    ON CONFLICT (conversation_id) DO UPDATE SET version = excluded.version, interactions = excluded.interactions,
        state = excluded.state, since_at = excluded.since_at, waits_for = excluded.waits_for"""
_PUT_SENDERS: Final = """
    INSERT INTO service.conversation_senders (address_id, inbox_id, tenant, conversation_id, level, level_at)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::real[], %s::timestamptz[])
    ON CONFLICT (address_id, inbox_id) DO UPDATE SET conversation_id = excluded.conversation_id,
        level = excluded.level, level_at = excluded.level_at"""
_PUT_MAILS: Final = """
    INSERT INTO service.conversation_mails (digest, conversation_id, address_id, referred)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::boolean[])
    ON CONFLICT (digest) DO UPDATE SET conversation_id = excluded.conversation_id, address_id = excluded.address_id,
        referred = excluded.referred"""
_PUT_CALLS: Final = """
    INSERT INTO service.conversation_calls (interaction_id, tenant, so_far, outcome, conversation_id)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::jsonb[], %s::text[], %s::uuid[])
    ON CONFLICT (interaction_id) DO UPDATE SET so_far = excluded.so_far, outcome = excluded.outcome,
        conversation_id = excluded.conversation_id"""
_FORGET: Final = (
    "DELETE FROM service.conversation_mails WHERE address_id = ANY(%s)",
    "DELETE FROM service.conversation_senders WHERE address_id = ANY(%s)",
)


async def load(connection: AsyncConnection, items: Sequence[Item], filled: Collection[UUID] | None = None) -> Known:
    """What these items may meet, in two trips whatever their number.

    While the tables are filled again, `filled` are further conversations to load, and all are taken as they stand.
    """
    known, touches = Known(), [item for item in items if isinstance(item, Touch)]
    senders = list({touch.sender for touch in touches})
    mails = [touch.mail for touch in touches if touch.mail is not None]
    digests = {one for mail in mails for one in (mail.own, *mail.refers_to) if one is not None}
    calls = {touch.fact.interaction_id for touch in touches if touch.is_call}
    again = [(touch.event_id, touch.revision, touch.tenant) for touch in touches if touch.revision > 1]
    async with connection.pipeline():
        found = await connection.execute(_SENDERS, _columns(senders, 2), binary=True)
        found_mails = await connection.execute(_MAILS, (list(digests),), binary=True) if digests else None
        found_calls = await connection.execute(_CALLS, (list(calls),), binary=True) if calls else None
        found_again = await connection.execute(_DECIDED, _columns(again, 3), binary=True) if again else None
    for address_id, inbox_id, tenant, conversation_id, level, level_at in await found.fetchall():
        known.senders[address_id, inbox_id] = Sender(tenant, conversation_id, Pace(level, level_at))
    for digest, *mail in [] if found_mails is None else await found_mails.fetchall():
        known.mails[digest] = KnownMail(*mail)
    for interaction_id, tenant, so_far, *decided in [] if found_calls is None else await found_calls.fetchall():
        known.calls[interaction_id] = KnownCall(tenant, _so_far(so_far), *decided)
    known.decided_before |= set() if found_again is None else {row[0] for row in await found_again.fetchall()}
    wanted = {one.conversation_id for one in (*known.senders.values(), *known.calls.values())}
    wanted |= {one.conversation_id for one in known.mails.values()}
    wanted |= {conversation_id for mail in mails for _, conversation_id in mail.keys}
    wanted = [one for one in {*wanted, *(filled or ())} if one is not None]
    if wanted:
        async with connection.pipeline():
            rows = await connection.execute(_CONVERSATIONS, (wanted,), binary=True)
            newer = await connection.execute(_NEWER, (wanted if filled is None else [],), binary=True)
        for row in await rows.fetchall():
            known.conversations[row[0]] = _held(row)
        for conversation_id, version, state in await newer.fetchall():
            _go_on(known, conversation_id, version, state)
    return known


def saver(known: Known) -> InTransaction:
    """Saves what a batch changed, within the transaction of its decisions."""
    conversations = [(one, known.conversations[one]) for one in known.changed if one in known.conversations]
    senders = [(one, known.senders[one]) for one in known.changed_senders if one in known.senders]
    mails = [(one, known.mails[one]) for one in known.changed if one in known.mails]
    calls = [(one, known.calls[one]) for one in known.changed if one in known.calls]
    statements: list[tuple[str, tuple[object, ...]]] = [
        *([(statement, (list(known.erased),)) for statement in _FORGET] if known.erased else ()),
        (_PUT_CONVERSATIONS, _columns([_conversation_row(one, held) for one, held in conversations], 10)),
        (_PUT_SENDERS, _columns([_sender_row(one, sender) for one, sender in senders], 6)),
        (_PUT_MAILS, _columns([(one, m.conversation_id, m.address_id, m.referred) for one, m in mails], 4)),
        (_PUT_CALLS, _columns([_call_row(one, call) for one, call in calls], 5)),
    ]

    def save(cursor: Cursor[DictRow]) -> None:
        for statement, arguments in statements:
            if arguments[0]:
                cursor.execute(statement.encode(), arguments)

    return save


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> tuple[list[object], ...]:
    return tuple([row[place] for row in rows] for place in range(width))


def _held(row: tuple[Any, ...]) -> Held:
    conversation_id, tenant, version, address_id, inbox_id, channel, interactions, *state = row
    about = About(conversation_id, address_id, inbox_id, channel, interactions)
    return Held(tenant, version, named(about, *state))


def _go_on(known: Known, conversation_id: UUID, version: int, state: bytes) -> None:
    held = known.conversations[conversation_id]
    after = evolve(held.state, cast("ConversationFact", read_fact(state)))
    known.conversations[conversation_id] = Held(held.tenant, version, cast("Any", after))


def _conversation_row(conversation_id: UUID, held: Held) -> tuple[object, ...]:
    state = held.state
    return (
        *(conversation_id, held.tenant, held.version, state.about.address_id, state.about.inbox_id),
        *(state.about.channel, state.about.interactions, name_of(state), state.since_at, waits_for_of(state)),
    )


def _sender_row(key: tuple[UUID, UUID], sender: Sender) -> tuple[object, ...]:
    return (*key, sender.tenant, sender.conversation_id, sender.pace.level, sender.pace.at)


def _call_row(interaction_id: UUID, call: KnownCall) -> tuple[object, ...]:
    so_far = call.so_far
    told = {
        "address_id": so_far.address_id,
        "inbox_id": so_far.inbox_id,
        "channel": so_far.channel,
        "direction": so_far.direction,
        "known_by": so_far.known_by,
        "first_rank": so_far.first_rank,
        "legs": {str(leg): rank for leg, rank in so_far.legs.items()},
        "missed": so_far.missed,
        "taken": so_far.taken,
    }
    return interaction_id, call.tenant, orjson.dumps(told).decode(), call.outcome, call.conversation_id


def _so_far(told: dict[str, Any]) -> CallSoFar:
    legs = {UUID(leg): rank for leg, rank in told.pop("legs").items()}
    return CallSoFar(UUID(told.pop("address_id")), UUID(told.pop("inbox_id")), legs=legs, **told)
