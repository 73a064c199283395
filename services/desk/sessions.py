"""Who is signed in: passwords are checked at one pace for known and unknown logins, sessions are kept by digest."""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from services.desk.users import Language, Role

LIFETIME: Final = timedelta(hours=12)
_SECRET_BYTES: Final = 32
_AT_ONCE: Final = 2
"""Passwords checked side by side: each takes 64 MB and some 50 ms of a processor."""
_REMEMBERED_SECONDS: Final = 2.0
_REMEMBERED: Final = 10_000
_FIND: Final = """
    SELECT user_id, tenant, login, name, role, language, csrf, digest FROM service.sessions
    JOIN service.users USING (user_id)
    WHERE digest = %s AND expires_at > clock_timestamp() AND disabled_at IS NULL"""
_LOGIN: Final = "SELECT user_id, password FROM service.users WHERE login = %s AND disabled_at IS NULL"


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in. `csrf` must come back with whatever changes something."""

    user_id: UUID
    tenant: str
    login: str
    name: str
    role: Role
    language: Language
    csrf: str
    digest: bytes

    def is_asked_by_us(self, token: str) -> bool:
        """Whether the request came from a page that we gave to this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode("utf-8", "surrogatepass"))


class Sessions:
    """One per process. A person who is disabled is noticed within two seconds."""

    def __init__(self, pool: AsyncConnectionPool, clock: Callable[[], float] = time.monotonic) -> None:
        """`pool` is to RECORD_URL in the role tamas_desk."""
        self._pool: Final = pool
        self._clock: Final = clock
        self._hasher: Final = PasswordHasher()
        self._nobodys: Final = self._hasher.hash(secrets.token_urlsafe())
        self._turn: Final = asyncio.Semaphore(_AT_ONCE)
        self._known: Final[dict[bytes, tuple[Session, float]]] = {}

    async def sign_in(self, login: str, password: str) -> str | None:
        """A new session's secret; None when nobody has this login and password."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_LOGIN, (login.strip().casefold(),))).fetchone()
        user_id, hashed = (None, self._nobodys) if row is None else row
        async with self._turn:
            fits = await asyncio.to_thread(self._fits, hashed, password)
        return None if user_id is None or not fits else await self._open(user_id)

    async def find(self, secret: str) -> Session | None:
        """Whose it is; None when it is unknown or over, or the person disabled.

        Raises `psycopg.OperationalError` when the database is away.
        """
        digest, now = _digest(secret), self._clock()
        known = self._known.get(digest)
        if known is not None and now - known[1] <= _REMEMBERED_SECONDS:
            return known[0]
        self._known.pop(digest, None)
        async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Session)) as cursor:
            found = await (await cursor.execute(_FIND, (digest,))).fetchone()
        if found is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = found, now
        return found

    async def end(self, session: Session) -> None:
        """Sign out: the secret is good for nothing from now on."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM service.sessions WHERE digest = %s", (session.digest,))
        self._known.pop(session.digest, None)

    async def speak(self, session: Session, language: Language) -> None:
        """Remember a person's language."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE service.users SET language = %s WHERE user_id = %s", (language, session.user_id)
            )
        self._known.pop(session.digest, None)

    async def _open(self, user_id: UUID) -> str:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute("DELETE FROM service.sessions WHERE expires_at < clock_timestamp()")
            await connection.execute(
                "INSERT INTO service.sessions (digest, user_id, csrf, expires_at) "
                "VALUES (%s, %s, %s, clock_timestamp() + %s)",
                (_digest(secret), user_id, secrets.token_urlsafe(_SECRET_BYTES), LIFETIME),
            )
        return secret

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, VerificationError):
            return False


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
