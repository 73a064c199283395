"""Is the record whole? Read-only; may be run beside everything else."""

import random
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection, IsolationLevel
from psycopg_pool import AsyncConnectionPool

from services.keys.vault import Unsealable, Vault, event_context, unseal
from services.record.identity import PLACE, NotAdopted, compare

SAMPLE: Final = 2_000
"""So many facts are opened unless all are asked for."""
_PAGE: Final = 20_000
_NAMED: Final = 5
# A page of the record in its order, each with whether `seen` knows it; decisions have their stream's key instead.
_ROWS: Final = """
    SELECT position, recorded_at, event_id IS NULL OR EXISTS (SELECT FROM record.seen AS s
        WHERE s.event_id = page.event_id AND s.revision = page.revision AND s.tenant = page.tenant)
    FROM (
        (SELECT position, recorded_at, event_id, revision, tenant FROM record.facts
        WHERE position > %(after)s ORDER BY position LIMIT %(limit)s)
        UNION ALL
        (SELECT position, recorded_at, NULL, NULL, tenant FROM record.decisions
        WHERE position > %(after)s ORDER BY position LIMIT %(limit)s)
        ORDER BY position LIMIT %(limit)s
    ) AS page ORDER BY position"""
# Whatever is sealed: id, revision and key of facts and decisions.
_SEALED: Final = """
    (SELECT position, event_id, revision, subject, recorded_at, personal FROM record.facts
    WHERE {0} AND personal IS NOT NULL ORDER BY position LIMIT %(limit)s)
    UNION ALL
    (SELECT position, event_id, 1::smallint, sealed_under, recorded_at, personal FROM record.decisions
    WHERE {0} AND personal IS NOT NULL ORDER BY position LIMIT %(limit)s)
    ORDER BY position LIMIT %(limit)s"""
_AFTER: Final = _SEALED.replace("{0}", "position > %(after)s")
_FROM: Final = _SEALED.replace("{0}", "position >= %(after)s")
_KEYS: Final = "SELECT address_id, wrapped, erased_at FROM keys.subjects WHERE address_id = ANY(%s)"
_RANGES: Final = """
    SELECT min(position), max(position), count(*) FROM record.facts WHERE position >= %(from)s AND position < %(to)s"""
_HEAD: Final = """
    SELECT greatest((SELECT max(position) FROM record.facts), (SELECT max(position) FROM record.decisions), 0)"""
_LIVES: Final = "SELECT DISTINCT position >> 40 FROM record.facts"
# Each gives a number; anything but 0 is wrong.
_COUNTS: Final[dict[str, tuple[LiteralString, str]]] = {
    "numbers": (
        f"SELECT count(*) FROM record.position WHERE last_value < ({_HEAD})",
        "the sequence is behind the record: its next numbers are taken",
    ),
    "facts and decisions": (
        "SELECT count(*) FROM record.facts JOIN record.decisions USING (position)",
        "positions that a fact and a decision share",
    ),
    "relay": (
        f"SELECT count(*) FROM service.relay_cursor WHERE position > ({_HEAD})",
        "cursors beyond the record's end: it lost its tail",
    ),
    "waiting requests": (
        """SELECT count(*) FROM service.pending AS p WHERE NOT EXISTS
            (SELECT FROM record.raw AS r WHERE r.raw_id = p.raw_id AND r.day = p.day)""",
        "wait for a parser, but the request is gone",
    ),
}
_TOLD: Final[dict[str, LiteralString]] = {
    "pending": "SELECT count(*) FROM service.pending",
    "parked": "SELECT count(*) FROM service.parked WHERE state = 'parked'",
    "facts": "SELECT count(*) FROM record.facts",
    "decisions": "SELECT count(*) FROM record.decisions",
    # Also a repeat that came with another body than the first time.
    "read without a fact of their own": """
        SELECT count(*) FROM record.raw AS r WHERE state = 'pending'
            AND NOT EXISTS (SELECT FROM service.pending AS p WHERE p.raw_id = r.raw_id)
            AND NOT EXISTS (SELECT FROM service.parked AS p WHERE p.raw_id = r.raw_id)
            AND NOT EXISTS (SELECT FROM record.facts AS f WHERE f.raw_id = r.raw_id)""",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    ok: bool
    detail: str


@dataclass(slots=True)
class _Tally:
    """What is wrong, with the first few places."""

    count: int = 0
    places: list[int] = field(default_factory=list[int])

    def add(self, position: int) -> None:
        self.count += 1
        if len(self.places) < _NAMED:
            self.places.append(position)

    def finding(self, check: str, wrong: str, right: str) -> Finding:
        if not self.count:
            return Finding(check, ok=True, detail=right)
        return Finding(check, ok=False, detail=f"{self.count} {wrong}, first at {', '.join(map(str, self.places))}")


async def check(
    record: AsyncConnectionPool, keys: AsyncConnectionPool, vault: Vault, *, every: bool = False
) -> list[Finding]:
    """Look at all of the record at one moment; opens a sample of its facts, or `every` one. Pools of the owner."""
    async with record.connection() as connection:
        place = await _place(connection)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        try:
            async with connection.transaction():
                return [
                    place,
                    *await _order(connection),
                    *[await _count(connection, name) for name in _COUNTS],
                    *[await _told(connection, name) for name in _TOLD],
                    *await _days(connection, keys),
                    *await _opening(connection, keys, vault, every=every),
                ]
        finally:
            await connection.set_isolation_level(None)


async def _place(connection: AsyncConnection) -> Finding:
    try:
        compare(await (await connection.execute(PLACE)).fetchone())
    except NotAdopted as error:
        return Finding("place", ok=False, detail=str(error))
    return Finding("place", ok=True, detail="on the server that it was written on")


async def _order(connection: AsyncConnection) -> list[Finding]:
    back, unseen, rows = _Tally(), _Tally(), 0
    latest: datetime | None = None
    async for page in _pages(connection, _ROWS):
        rows += len(page)
        for position, recorded_at, is_seen in page:
            if latest is not None and recorded_at < latest:
                back.add(position)
            latest = recorded_at
            if not is_seen:
                unseen.add(position)
    return [
        back.finding("order", "were recorded before the one before them", f"{rows} in the order of their times"),
        unseen.finding("seen", "facts would be taken again if they came again", "every fact is known as seen"),
    ]


async def _opening(
    connection: AsyncConnection, keys: AsyncConnectionPool, vault: Vault, *, every: bool
) -> list[Finding]:
    broken, keyless, late, opened, erased = _Tally(), _Tally(), _Tally(), 0, 0
    async for page in _pages(connection, _AFTER) if every else _sampled(connection):
        known = await _keys(keys, {row[3] for row in page})
        for position, event_id, revision, subject, recorded_at, personal in page:
            wrapped, erased_at = known.get(subject, (None, None))
            if wrapped is None and erased_at is None:
                keyless.add(position)
            elif wrapped is None:
                erased += 1
                if erased_at is not None and recorded_at > erased_at:
                    late.add(position)
            elif _opens(vault, wrapped, subject, personal, event_context(event_id.bytes, revision)):
                opened += 1
            else:
                broken.add(position)
    told = f"{opened} opened, {erased} erased" + ("" if every else " (a sample; --all opens every one)")
    return [
        broken.finding("sealed parts", "do not open under their key", told),
        keyless.finding("keys", "have no key at all", "every one has its key, or is erased"),
        Finding("sealed after an erasure", ok=True, detail=f"{late.count} came while their key was being destroyed"),
    ]


def _opens(vault: Vault, wrapped: bytes, subject: UUID, personal: bytes, context: bytes) -> bool:
    try:
        unseal(AESGCM(vault.unwrap(wrapped, subject.bytes)), personal, context)
    except Unsealable:
        return False
    return True


async def _pages(connection: AsyncConnection, query: LiteralString) -> AsyncIterator[list[tuple[Any, ...]]]:
    after = 0
    while page := await (await connection.execute(query, {"after": after, "limit": _PAGE})).fetchall():
        yield page
        after = page[-1][0]


async def _sampled(connection: AsyncConnection) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Facts at random places of each life of the record, and all of a small one."""
    for (life,) in await (await connection.execute(_LIVES)).fetchall():
        arguments = {"from": life << 40, "to": (life + 1) << 40}
        low, high, count = await (await connection.execute(_RANGES, arguments)).fetchone() or (0, 0, 0)
        if count <= SAMPLE:
            yield await (await connection.execute(_AFTER, {"after": low - 1, "limit": SAMPLE})).fetchall()
            continue
        found: dict[int, tuple[Any, ...]] = {}
        for at in random.choices(range(low, high + 1), k=SAMPLE):  # noqa: S311 - nobody gains by guessing
            row = await (await connection.execute(_FROM, {"after": at, "limit": 1})).fetchone()
            if row is not None:
                found[row[0]] = row
        yield list(found.values())


async def _keys(keys: AsyncConnectionPool, subjects: Collection[UUID]) -> dict[UUID, tuple[bytes | None, Any]]:
    async with keys.connection() as connection:
        cursor = await connection.execute(_KEYS, (list(subjects),))
        return {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}


async def _days(connection: AsyncConnection, keys: AsyncConnectionPool) -> Sequence[Finding]:
    kept = set(await (await connection.execute("SELECT DISTINCT tenant, day FROM record.raw")).fetchall())
    async with keys.connection() as other:
        known = set(await (await other.execute("SELECT tenant, day FROM keys.days")).fetchall())
    lost = sorted(f"{tenant} {day}" for tenant, day in kept - known)
    detail = f"no key for the requests of {', '.join(lost[:_NAMED])}" if lost else f"{len(kept)} days with their keys"
    return [Finding("days of requests", ok=not lost, detail=detail)]


async def _count(connection: AsyncConnection, name: str) -> Finding:
    query, wrong = _COUNTS[name]
    count = await _number(connection, query)
    return Finding(name, ok=not count, detail=f"{count} {wrong}" if count else "as it must be")


async def _told(connection: AsyncConnection, name: str) -> Finding:
    return Finding(name, ok=True, detail=str(await _number(connection, _TOLD[name])))


async def _number(connection: AsyncConnection, query: LiteralString) -> int:
    row = await (await connection.execute(query)).fetchone()
    return 0 if row is None else int(row[0])
