"""Facts from the wire into the record again: sealed anew, marked as seen, numbered where the record is now."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from schemas.event import AnyFact, Undecodable, read_fact
from schemas.fact import split
from schemas.topics import TOPIC_OF
from services.keys.again import subjects_again
from services.keys.ring import Ring, Subject
from services.keys.vault import Vault, event_context, seal
from services.put_back.tally import Tally
from services.record.append import Appender, FactRow
from services.record.raw import new_raw_id
from services.record.reader import Row

_SEEN: Final = """
    SELECT s.event_id, s.revision, s.tenant FROM record.seen AS s
    JOIN unnest(%s::uuid[], %s::smallint[], %s::text[]) AS wanted (event_id, revision, tenant)
    USING (event_id, revision, tenant)"""
_TOO_LARGE: Final = "too large for the broker, which has only a reference; taken when the provider sends it again"
_UNREADABLE: Final = "no fact that this version knows"

_Key = tuple[UUID, int, str]


class Facts:
    """Puts facts back. What is about an erased address comes without its personal part: the numbers stay."""

    def __init__(
        self, record: AsyncConnectionPool, keys: AsyncConnectionPool, vault: Vault, erased: Collection[UUID]
    ) -> None:
        """Pools of the owner. `erased` are the addresses whose erasure is known, by their ids."""
        self._record: Final = record
        self._keys: Final = keys
        self._vault: Final = vault
        self._ring: Final = Ring(keys, vault)
        self._erased: Final = erased
        self.addresses: Final[dict[UUID, tuple[str, str]]] = {}
        """Tenant and address of those that are erased, where a fact told."""

    async def put_back(self, appender: Appender, rows: Sequence[Row], tally: Tally) -> None:
        """Those of a page that the record does not have, in this order; may be repeated.

        Raises:
            psycopg.OperationalError: PostgreSQL is away.
        """
        fresh = await self._unseen(rows)
        for row in rows:
            if fresh.get(_key(row)) is not row:
                tally.topics[row.topic].already_there += 1
        facts: dict[_Key, tuple[Row, AnyFact]] = {}
        for key, row in fresh.items():
            try:
                facts[key] = row, _read(row)
            except Undecodable as error:
                tally.topics[row.topic].left_out[str(error)] += 1
        made = await self._sealed(facts, tally)
        if made:
            new = await appender.new_of([(*key, new_raw_id()) for key in facts])
            await appender.commit([row for row in made if (row.event_id, row.revision) in new])
            _count(tally, made, new)

    async def _unseen(self, rows: Sequence[Row]) -> dict[_Key, Row]:
        columns = zip(*(_key(row) for row in rows), strict=True)
        async with self._record.connection() as connection:
            seen = set(await (await connection.execute(_SEEN, [list(column) for column in columns])).fetchall())
        fresh: dict[_Key, Row] = {}
        for row in rows:
            if _key(row) not in seen:
                fresh.setdefault(_key(row), row)
        return fresh

    async def _sealed(self, facts: dict[_Key, tuple[Row, AnyFact]], tally: Tally) -> list[FactRow]:
        whose = {row.subject: (row.tenant, address) for row, fact in facts.values() if (address := _address(fact))}
        self.addresses.update({subject: pair for subject, pair in whose.items() if subject in self._erased})
        again = await subjects_again(
            self._keys, self._ring, self._vault, {one: whose[one] for one in whose.keys() - set(self._erased)}
        )
        tally.new_keys |= set(again.made)
        return [_fact_row(row, again.subjects.get(row.subject), tally) for row, _ in facts.values()]


def _key(row: Row) -> _Key:
    return row.event_id, row.revision, row.tenant


def _read(row: Row) -> AnyFact:
    if not row.payload:
        raise Undecodable(_TOO_LARGE)
    try:
        fact = read_fact(row.payload)
    except Undecodable as error:
        raise Undecodable(_UNREADABLE) from error
    is_as_told = (fact.type, fact.version, TOPIC_OF[fact.type]) == (row.type, row.version, row.topic)
    if not is_as_told or (fact.personal_json() is not None and _address(fact) is None):
        raise Undecodable(_UNREADABLE)
    return fact


def _address(fact: AnyFact) -> str | None:
    return getattr(getattr(fact, "personal", None), "address", None)


def _fact_row(row: Row, subject: Subject | None, tally: Tally) -> FactRow:
    data, personal = split(row.payload)
    sealed = None
    if personal is not None and subject is None:
        tally.without_person += 1
    elif personal is not None and subject is not None:
        sealed = seal(subject.cipher, personal, event_context(row.event_id.bytes, row.revision))
    return FactRow(
        event_id=row.event_id,
        tenant=row.tenant,
        topic=row.topic,
        type=row.type,
        version=row.version,
        subject=row.subject if subject is None else subject.address_id,
        inbox_id=row.inbox_id,
        # Requests are not on the wire: the fact stands without its own.
        raw_id=None,
        occurred_at=row.occurred_at,
        data=data,
        personal=sealed,
        revision=row.revision,
        correlation_id=row.correlation_id,
    )


def _count(tally: Tally, made: Sequence[FactRow], new: Collection[tuple[UUID, int]]) -> None:
    for row in made:
        line = tally.topics[row.topic]
        if (row.event_id, row.revision) not in new:
            line.already_there += 1
            continue
        line.put_back += 1
        if row.inbox_id is not None:
            tally.inboxes[row.inbox_id] += 1
