"""What may be asked of the search. Call within `projections.generation.reading`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.search.folding import asked_words, fold_text
from projections.search.projection import known_as

_LOOKED_AT: Final = 2000
"""What many wrote is among the newest; what is not there often enough is rare, and all of it can be sorted."""
_MOST_ADDRESSES: Final = 100
_SHORTEST_PART: Final = 4
_THE_END: Final = (datetime.max.replace(tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Hit:
    """An interaction that was found; what it says is in the timeline, if it has it already."""

    interaction_id: UUID
    effective_at: datetime
    position: int


async def found(
    tx: AsyncConnection,
    tenant: str,
    asked: str,
    *,
    limit: int,
    before: tuple[datetime, int] | None = None,
    address: str | None = None,
) -> list[Hit]:
    """Newest first: what has words that begin as all of these do, and all of addresses that have this as a part.

    `before` is the (effective_at, position) of the last hit of the page before. `address` is the one that `asked`
    means as a whole, in our form. A part of an address has four characters or more; of many addresses, 100 are taken.
    """
    at = before or _THE_END
    hits = {hit.interaction_id: hit for hit in await _by_words(tx, tenant, asked, limit, at)}
    part = _part(address or asked)
    if part is not None:
        hits.update((hit.interaction_id, hit) for hit in await _by_address(tx, tenant, part, limit, at))
    return sorted(hits.values(), key=lambda hit: (hit.effective_at, hit.position), reverse=True)[:limit]


async def _by_words(tx: AsyncConnection, tenant: str, asked: str, limit: int, at: tuple[datetime, int]) -> list[Hit]:
    words = _query(tenant, asked)
    if not words:
        return []
    async with tx.cursor(row_factory=class_row(Hit)) as cursor:
        await cursor.execute(
            "SELECT * FROM among_newest(%s::text::tsquery, %s, %s, %s, %s)", (words, *at, _LOOKED_AT, limit)
        )
        newest = await cursor.fetchall()
        if len(newest) >= limit:
            return newest
        await cursor.execute("SELECT * FROM among_all(%s::text::tsquery, %s, %s, %s)", (words, *at, limit))
        return await cursor.fetchall()


async def _by_address(tx: AsyncConnection, tenant: str, part: str, limit: int, at: tuple[datetime, int]) -> list[Hit]:
    pattern = part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    async with tx.cursor(row_factory=class_row(Hit)) as cursor:
        await cursor.execute(
            """
            SELECT e.interaction_id, e.effective_at, e.position
            FROM addresses_with(%(pattern)s, %(addresses)s) AS a (address_id)
            CROSS JOIN LATERAL (
                SELECT interaction_id, effective_at, position FROM entries
                WHERE tenant = %(tenant)s AND address_id = a.address_id AND words IS NOT NULL
                    AND (effective_at, position) < (%(at)s, %(position)s::bigint)
                ORDER BY effective_at DESC, position DESC LIMIT %(limit)s
            ) AS e
            ORDER BY e.effective_at DESC, e.position DESC LIMIT %(limit)s
            """,
            {
                "pattern": f"%{pattern}%",
                "addresses": _MOST_ADDRESSES,
                "tenant": tenant,
                "at": at[0],
                "position": at[1],
                "limit": limit,
            },
        )
        return await cursor.fetchall()


def _query(tenant: str, asked: str) -> str:
    # Words are letters and digits, so they need no escape; a tenant's slug has hyphens beside these.
    ways = (" & ".join(f"'{tenant}:{word}':*" for word in words) for words in asked_words(asked))
    return " | ".join(f"({way})" for way in ways)


def _part(asked: str) -> str | None:
    """What an address has in it when this is a part of one: no spaces; a number without what stands before it."""
    bare = known_as(asked) if asked.startswith(("tel:", "mailto:", "chat:")) else fold_text(asked.strip()).lstrip("+")
    digits = "".join(char for char in bare if char not in " ()-./")
    if digits.isdecimal():
        bare = digits.lstrip("0")
    return bare if len(bare) >= _SHORTEST_PART and not any(char.isspace() for char in bare) else None
