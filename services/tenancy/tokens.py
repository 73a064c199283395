"""Tokens of the API: made and taken back by operators, checked by the API. Only their digests are stored."""

import os
import time
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal, get_args
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from services.record.errors import Refused
from services.tenancy.tenant import tenant_stream

Role = Literal["agent", "supervisor", "operator", "integrator", "subscriber"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_PREFIX: Final = "tamas_"
_SECRET_BYTES: Final = 20
_REMEMBERED_SECONDS: Final = 2.0
_REMEMBERED: Final = 10_000
_FIND: Final = """
    SELECT token_id, tenant, name, role, created_at, expires_at, revoked_at FROM service.tokens
    WHERE digest = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"""
_LIST: Final = """
    SELECT token_id, tenant, name, role, created_at, expires_at, revoked_at FROM service.tokens
    WHERE tenant = %s OR %s::text IS NULL ORDER BY created_at"""


@dataclass(frozen=True, slots=True)
class Token:
    """Who may do what for which tenant. `expires_at` None: it does not by itself."""

    token_id: UUID
    tenant: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Authenticator:
    """Tells whose secret it is. A revoked token is noticed within two seconds."""

    def __init__(self, pool: AsyncConnectionPool, clock: Callable[[], float] = time.monotonic) -> None:
        """`pool` is to RECORD_URL, in autocommit."""
        self._pool: Final = pool
        self._clock: Final = clock
        self._known: Final[dict[bytes, tuple[Token, float]]] = {}

    async def authenticate(self, secret: str) -> Token | None:
        """The token with this secret; None when it is unknown, revoked or expired.

        Raises `psycopg.OperationalError` when the database is away.
        """
        digest, now = _digest(secret), self._clock()
        known = self._known.get(digest)
        if known is None or now - known[1] > _REMEMBERED_SECONDS:
            known = await self._look_up(digest, now)
        if known is None or (known[0].expires_at is not None and known[0].expires_at <= datetime.now(UTC)):
            return None
        return known[0]

    async def _look_up(self, digest: bytes, now: float) -> tuple[Token, float] | None:
        self._known.pop(digest, None)
        async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Token)) as cursor:
            found = await (await cursor.execute(_FIND, (digest,))).fetchone()
        if found is None:
            return None
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = found, now
        return found, now


def add_token(url: str, tenant: str, name: str, role: str, lifetime: timedelta | None) -> tuple[Token, str]:
    """A new token and its secret, which is told only here. Raises `Refused`."""
    if role not in ROLES:
        raise Refused(f"{role!r} is no role: {', '.join(ROLES)}.")
    if not name.strip():
        raise Refused("A token needs a name by which you will know it in the list.")
    secret = _PREFIX + b32encode(os.urandom(_SECRET_BYTES)).decode().rstrip("=").lower()
    now = datetime.now(UTC)
    expires_at = None if lifetime is None else now + lifetime
    token = Token(uuid4(), tenant, name.strip(), role, now, expires_at, None)
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        known = connection.execute("SELECT FROM record.decisions WHERE originator_id = %s", (tenant_stream(tenant),))
        if known.fetchone() is None:
            raise Refused(f"There is no tenant {tenant!r}: add it first (tamas tenant add).")
        connection.execute(
            "INSERT INTO service.tokens (token_id, tenant, name, role, digest, created_at, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (token.token_id, tenant, token.name, role, _digest(secret), now, expires_at),
        )
    return token, secret


def tokens(url: str, tenant: str | None) -> list[Token]:
    """Tokens of one tenant or of all, also revoked ones, oldest first."""
    with (
        psycopg.connect(url, autocommit=True, connect_timeout=5) as connection,
        connection.cursor(row_factory=class_row(Token)) as cursor,
    ):
        return cursor.execute(_LIST, (tenant, tenant)).fetchall()


def revoke_token(url: str, tenant: str | None, token_id: UUID) -> None:
    """Take it back; harmless when repeated. Raises `Refused` when there is none, or it is another tenant's."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        done = connection.execute(
            "UPDATE service.tokens SET revoked_at = coalesce(revoked_at, clock_timestamp()) "
            "WHERE token_id = %s AND (tenant = %s OR %s::text IS NULL)",
            (token_id, tenant, tenant),
        )
        if not done.rowcount:
            raise Refused(f"There is no token {token_id}.")


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
