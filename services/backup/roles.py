"""Roles that have rights in a dump: `pg_dump` leaves them out, and other roles of the server are not ours to take."""

from collections.abc import Iterable, Sequence
from typing import Final

from psycopg import Connection, sql

from services.backup.manifest import Role

_NAMED: Final = """
    WITH named AS (
        SELECT (aclexplode(nspacl)).grantee FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
        UNION SELECT (aclexplode(relacl)).grantee FROM pg_class
            WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
        UNION SELECT (aclexplode(attacl)).grantee FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
        UNION SELECT (aclexplode(proacl)).grantee FROM pg_proc
            WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
        UNION SELECT unnest(polroles) FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
            WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
    )
    SELECT rolname, rolcanlogin, ARRAY(SELECT roleid::regrole::text FROM pg_auth_members
        WHERE member = pg_roles.oid AND roleid IN (SELECT grantee FROM named) ORDER BY 1)
    FROM pg_roles JOIN named ON grantee = oid
    WHERE rolname <> current_user AND NOT rolsuper AND rolname !~ '^pg_' ORDER BY rolname"""
_KNOWN: Final = "SELECT rolname FROM pg_roles"


def roles_of(connection: Connection, schemas: Sequence[str]) -> list[Role]:
    """Whoever has rights in these schemas, but the user of the connection."""
    rows = connection.execute(_NAMED, {"schemas": list(schemas)}).fetchall()
    return [Role(name=name, could_log_in=could, member_of=tuple(groups)) for name, could, groups in rows]


def make(connection: Connection, roles: Iterable[Role]) -> list[str]:
    """Make those that the server lacks, without login; the user of the connection may take the roles of our processes.

    Returns the names of the made ones that could log in before.
    """
    wanted = list(roles)
    known = {name for (name,) in connection.execute(_KNOWN)}
    for role in wanted:
        if role.name not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role.name)))
    for role in wanted:
        for group in role.member_of:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name)))
        if not role.could_log_in:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role.name)))
    return [role.name for role in wanted if role.could_log_in and role.name not in known]
