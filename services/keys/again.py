"""Keys for addresses that subscribers know by an id which the key store, restored as well, knows no more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from services.keys.ring import Ring, Subject
from services.keys.vault import Vault, new_key

_KNOWN: Final = "SELECT address_id FROM keys.subjects WHERE address_id = ANY(%s)"
# A living key: one that is being erased has lost its address already, though not yet itself.
_ALIVE: Final = """
    SELECT address_id FROM keys.subjects
    WHERE address_id = ANY(%s) AND wrapped IS NOT NULL AND erased_at IS NULL"""
_MAKE: Final = """
    INSERT INTO keys.subjects (tenant, address_id, lookup, wrapped)
    SELECT * FROM unnest(%s::text[], %s::uuid[], %s::bytea[], %s::bytea[]) ON CONFLICT DO NOTHING
    RETURNING address_id"""
_BURY: Final = """
    INSERT INTO keys.subjects (tenant, address_id, erased_at)
    SELECT tenant, address_id, clock_timestamp() FROM unnest(%s::text[], %s::uuid[]) AS gone (tenant, address_id)
    ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Again:
    """What seals for each id: None when it is erased. `made` are ids whose key was lost and is another one now."""

    subjects: Mapping[UUID, Subject | None]
    made: Collection[UUID]


async def subjects_again(
    pool: AsyncConnectionPool, ring: Ring, vault: Vault, wanted: Mapping[UUID, tuple[str, str]]
) -> Again:
    """The subject of each address_id, given as address_id: (tenant, address).

    One that the store does not have is made under the same id; where the address has come again meanwhile and has a
    new id, that one is it.
    """
    known = await _ids(pool, _KNOWN, list(wanted))
    lost = sorted(wanted.keys() - known)
    lookups = [await ring.lookup(*wanted[address_id]) for address_id in lost]
    wrapped = [vault.wrap(new_key(), address_id.bytes) for address_id in lost]
    made = await _ids(pool, _MAKE, [wanted[address_id][0] for address_id in lost], lost, lookups, wrapped)
    alive = await _ids(pool, _ALIVE, list(known)) | made
    found: dict[UUID, Subject | None] = {**dict.fromkeys(wanted), **await ring.by_ids(alive)}
    moved = {address_id: wanted[address_id] for address_id in lost if address_id not in made}
    theirs = await ring.subjects(set(moved.values()))
    return Again(found | {address_id: theirs[pair] for address_id, pair in moved.items()}, made)


async def bury(pool: AsyncConnectionPool, erased: Collection[tuple[str, UUID]]) -> None:
    """Note (tenant, address_id) as erased where the store knows nothing of them."""
    async with pool.connection() as connection:
        await connection.execute(_BURY, ([tenant for tenant, _ in erased], [address_id for _, address_id in erased]))


async def _ids(pool: AsyncConnectionPool, query: LiteralString, *arguments: list[Any]) -> set[UUID]:
    async with pool.connection() as connection:
        return {row[0] for row in await (await connection.execute(query, arguments)).fetchall()}
