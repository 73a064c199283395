"""People who work at the desk, as operators keep them (`tamas user`). Their id is the agent's in facts."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, LiteralString, get_args
from uuid import UUID, uuid4

import psycopg
from argon2 import PasswordHasher
from psycopg.rows import class_row

from services.record.errors import Refused
from services.tenancy.tenant import tenant_stream

Role = Literal["agent", "supervisor"]
Language = Literal["en", "fa"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
SHORTEST_PASSWORD: Final = 12
_DRAWN_BYTES: Final = 12
_COLUMNS: Final = "user_id, tenant, login, name, role, language, created_at, disabled_at"
_INSERT: Final = """
    INSERT INTO service.users (user_id, tenant, login, password, name, role, language)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (login) DO NOTHING"""


@dataclass(frozen=True, slots=True)
class User:
    """One person. `disabled_at` None: may sign in."""

    user_id: UUID
    tenant: str
    login: str
    name: str
    role: Role
    language: Language
    created_at: datetime
    disabled_at: datetime | None


def drawn_password() -> str:
    """96 random bits, to be typed once."""
    return secrets.token_urlsafe(_DRAWN_BYTES)


def add_user(
    url: str, tenant: str, login: str, name: str, password: str, *, role: str = "agent", language: str = "en"
) -> UUID:
    """Let a person in; returns their id. `url` is RECORD_URL.

    Raises:
        Refused: the login is taken, the password short, or one of the rest is not what it may be.
    """
    known_as = login.strip().casefold()
    _check(known_as, name, password, role, language)
    user_id = uuid4()
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        known = connection.execute("SELECT FROM record.decisions WHERE originator_id = %s", (tenant_stream(tenant),))
        if known.fetchone() is None:
            raise Refused(f"There is no tenant {tenant!r}: add it first (tamas tenant add).")
        hashed = PasswordHasher().hash(password)
        row = (user_id, tenant, known_as, hashed, name.strip(), role, language)
        if not connection.execute(_INSERT, row).rowcount:
            raise Refused(f"Somebody signs in as {known_as} already: choose another login.")
    return user_id


def _check(login: str, name: str, password: str, role: str, language: str) -> None:
    if not login or not name.strip():
        raise Refused("A person needs a login and a name.")
    _check_password(password)
    if role not in ROLES:
        raise Refused(f"{role!r} is no role of the desk: {', '.join(ROLES)}.")
    if language not in LANGUAGES:
        raise Refused(f"The desk does not speak {language!r}: {', '.join(LANGUAGES)}.")


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"A password needs {SHORTEST_PASSWORD} characters or more.")


def users(url: str, tenant: str | None) -> list[User]:
    """Of one tenant or of all, also disabled ones, oldest first."""
    with (
        psycopg.connect(url, autocommit=True, connect_timeout=5) as connection,
        connection.cursor(row_factory=class_row(User)) as cursor,
    ):
        query = f"SELECT {_COLUMNS} FROM service.users WHERE tenant = %s OR %s::text IS NULL ORDER BY created_at"
        return cursor.execute(query, (tenant, tenant)).fetchall()


def disable_user(url: str, tenant: str | None, login: str) -> None:
    """Let them in no more, and end where they are signed in; harmless when repeated. Raises `Refused`."""
    _change(url, tenant, login, "disabled_at = coalesce(disabled_at, clock_timestamp())", ())


def change_password(url: str, tenant: str | None, login: str, password: str) -> None:
    """Another password, because they forgot theirs or somebody knows it; ends where they are signed in.

    Raises:
        Refused: nobody has this login, or the password is short.
    """
    _check_password(password)
    _change(url, tenant, login, "password = %s", (PasswordHasher().hash(password),))


def _change(url: str, tenant: str | None, login: str, what: LiteralString, values: tuple[str, ...]) -> None:
    query = f"UPDATE service.users SET {what} WHERE login = %s AND (tenant = %s OR %s::text IS NULL) RETURNING user_id"
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection, connection.transaction():
        found = connection.execute(query, (*values, login.strip().casefold(), tenant, tenant)).fetchone()
        if found is None:
            raise Refused(f"Nobody signs in as {login}.")
        connection.execute("DELETE FROM service.sessions WHERE user_id = %s", found)
