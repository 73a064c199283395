"""Keys of subjects and of days: made before the record's transaction, kept in memory after."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg_pool import AsyncConnectionPool

from services.keys.vault import Vault, new_key

_CACHED: Final = 16_384
"""Of each kind, the oldest make room: a key that is ready for use is 2.5 KB of OpenSSL's memory, so they are 50 MB."""
# Lists as words in a text: psycopg takes 54 µs for each row of a list.
_INSERT: Final = """
    INSERT INTO keys.subjects (tenant, address_id, lookup, wrapped)
    SELECT tenant, address_id::uuid, decode(lookup, 'hex'), decode(wrapped, 'hex')
    FROM unnest(string_to_array(%s, ' '), string_to_array(%s, ' '), string_to_array(%s, ' '), string_to_array(%s, ' '))
        AS fresh (tenant, address_id, lookup, wrapped)
    ON CONFLICT DO NOTHING"""
_SELECT: Final = """
    SELECT lookup, tenant, address_id, epoch, wrapped FROM keys.subjects
    WHERE lookup IN (SELECT decode(word, 'hex') FROM unnest(string_to_array(%s, ' ')) AS word)"""


@dataclass(frozen=True, slots=True)
class Subject:
    """An address that has a key. `address_id` is random: it tells nothing about the address."""

    address_id: UUID
    epoch: int
    cipher: AESGCM


class Ring:
    """Finds or makes keys. One per process; safe for concurrent tasks of one loop."""

    def __init__(self, pool: AsyncConnectionPool, vault: Vault) -> None:
        """`pool` is to KEYS_URL, in autocommit."""
        self._pool: Final = pool
        self._vault: Final = vault
        self._lookups: Final[dict[str, bytes]] = {}
        self._by_address: Final[OrderedDict[tuple[str, str], Subject]] = OrderedDict()
        self._pair_of: Final[dict[UUID, tuple[str, str]]] = {}
        self._by_id: Final[OrderedDict[UUID, Subject | None]] = OrderedDict()
        self._days: Final[dict[tuple[str, date], AESGCM]] = {}
        self._making: Final = asyncio.Lock()

    def cached(self, tenant: str, address: str) -> Subject | None:
        """The subject if this process has met it; never waits."""
        return self._by_address.get((tenant, address))

    async def subjects(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Subject]:
        """The subject of each (tenant, address), made where there was none."""
        found = {pair: known for pair in wanted if (known := self._by_address.get(pair)) is not None}
        missing = set(wanted) - found.keys()
        if missing:
            async with self._making:
                found |= await self._make(missing)
        return found

    async def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Subject | None]:
        """Subjects by address_id; None for one that is erased or unknown."""
        wanted = set(ids)
        # Taken before others are remembered: these may be the oldest.
        subjects = {address_id: self._by_id[address_id] for address_id in wanted if address_id in self._by_id}
        missing = list(wanted - subjects.keys())
        if missing:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "SELECT address_id, epoch, wrapped FROM keys.subjects WHERE address_id = ANY(%s)", (missing,)
                )
                found = {row[0]: self._opened(row[0], row[1], row[2]) for row in await cursor.fetchall()}
            for address_id in missing:
                subjects[address_id] = found.get(address_id)
                self._remember_id(address_id, subjects[address_id])
        return subjects

    async def find(self, tenant: str, address: str) -> Subject | None:
        """The subject of an address, or None; makes nothing."""
        known = self._by_address.get((tenant, address))
        if known is not None:
            return known
        lookup = await self.lookup(tenant, address)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT address_id, epoch, wrapped FROM keys.subjects WHERE lookup = %s AND tenant = %s",
                (lookup, tenant),
            )
            row = await cursor.fetchone()
        return None if row is None else self._opened(row[0], row[1], row[2])

    async def day(self, tenant: str, day: date) -> AESGCM:
        """The key of raw requests of this tenant and day, made at its first use."""
        known = self._days.get((tenant, day))
        if known is not None:
            return known
        async with self._pool.connection() as connection:
            wrapped = self._vault.wrap(new_key(), _day_context(tenant, day))
            await connection.execute(
                "INSERT INTO keys.days (tenant, day, wrapped) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (tenant, day, wrapped),
            )
            cursor = await connection.execute(
                "SELECT wrapped FROM keys.days WHERE tenant = %s AND day = %s", (tenant, day)
            )
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - inserted one statement ago
        cipher = AESGCM(self._vault.unwrap(row[0], _day_context(tenant, day)))
        self._days[tenant, day] = cipher
        return cipher

    async def existing_day(self, tenant: str, day: date) -> AESGCM | None:
        """The key of that day, or None once it was dropped."""
        known = self._days.get((tenant, day))
        if known is not None:
            return known
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT wrapped FROM keys.days WHERE tenant = %s AND day = %s", (tenant, day)
            )
            row = await cursor.fetchone()
        return None if row is None else AESGCM(self._vault.unwrap(row[0], _day_context(tenant, day)))

    async def forget(self, tenant: str, address: str) -> UUID | None:
        """Destroy the key of an address for ever; returns its id, None when it was unknown."""
        lookup = await self.lookup(tenant, address)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE keys.subjects SET lookup = NULL, wrapped = NULL, erased_at = clock_timestamp() "
                "WHERE lookup = %s AND tenant = %s RETURNING address_id",
                (lookup, tenant),
            )
            row = await cursor.fetchone()
        self.drop(tenant, address, None if row is None else row[0])
        return None if row is None else row[0]

    def drop(self, tenant: str, address: str | None, address_id: UUID | None) -> None:
        """Take a subject out of memory, as on hearing of its erasure."""
        if address is not None and (gone := self._by_address.pop((tenant, address), None)) is not None:
            self._pair_of.pop(gone.address_id, None)
        if address_id is not None:
            self._remember_id(address_id, None)
            pair = self._pair_of.pop(address_id, None)
            if pair is not None and (kept := self._by_address.get(pair)) and kept.address_id == address_id:
                del self._by_address[pair]

    async def _make(self, missing: set[tuple[str, str]]) -> dict[tuple[str, str], Subject]:
        rows = sorted([(await self.lookup(tenant, address), tenant, address) for tenant, address in missing])
        fresh = [uuid4() for _ in rows]
        wrapped = [self._vault.wrap(new_key(), address_id.bytes) for address_id in fresh]
        lookups = _words(lookup.hex() for lookup, _, _ in rows)
        new = (_words(row[1] for row in rows), _words(map(str, fresh)), lookups, _words(key.hex() for key in wrapped))
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute(_INSERT, new)
            cursor = await connection.execute(_SELECT, (lookups,))
            found = {(bytes(row[0]), row[1]): row[2:] for row in await cursor.fetchall()}
        made: dict[tuple[str, str], Subject] = {}
        for lookup, tenant, address in rows:
            subject = self._opened(*found[lookup, tenant])
            assert subject is not None  # noqa: S101 - a row that is found by its lookup has its key
            made[tenant, address] = subject
            self._remember(tenant, address, subject)
        return made

    def _remember(self, tenant: str, address: str, subject: Subject) -> None:
        self._by_address[tenant, address] = subject
        self._pair_of[subject.address_id] = (tenant, address)
        if len(self._by_address) > _CACHED:
            _, oldest = self._by_address.popitem(last=False)
            self._pair_of.pop(oldest.address_id, None)

    def _opened(self, address_id: UUID, epoch: int, wrapped: bytes | None) -> Subject | None:
        if wrapped is None:
            return None
        return Subject(address_id, epoch, AESGCM(self._vault.unwrap(wrapped, address_id.bytes)))

    def _remember_id(self, address_id: UUID, subject: Subject | None) -> None:
        self._by_id[address_id] = subject
        self._by_id.move_to_end(address_id)
        if len(self._by_id) > _CACHED:
            self._by_id.popitem(last=False)

    async def lookup(self, tenant: str, address: str) -> bytes:
        """What the row of an address is found by: an HMAC that nobody without the tenant's key can guess."""
        key = self._lookups.get(tenant)
        if key is None:
            key = self._lookups[tenant] = await self._lookup_key(tenant)
        return hmac.digest(key, address.encode("utf-8", "surrogatepass"), "sha256")

    async def _lookup_key(self, tenant: str) -> bytes:
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO keys.lookups (tenant, wrapped) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (tenant, self._vault.wrap(new_key(), tenant.encode())),
            )
            cursor = await connection.execute("SELECT wrapped FROM keys.lookups WHERE tenant = %s", (tenant,))
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - inserted one statement ago
        return self._vault.unwrap(row[0], tenant.encode())


def _words(values: Iterable[str]) -> str:
    return " ".join(values)


def _day_context(tenant: str, day: date) -> bytes:
    return f"{tenant}\0{day.isoformat()}".encode()
