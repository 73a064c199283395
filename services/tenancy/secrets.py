"""Secrets of inboxes: sealed rows, written by people and opened by the edge. Two versions are valid during a grace."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg import Connection

from services.keys.vault import Vault

SecretRow = tuple[UUID, str, int, bytes]

SECRETS: Final = """
    SELECT inbox_id, name, version, sealed FROM keys.secrets
    WHERE valid_until > clock_timestamp() AND inbox_id = ANY(%s) ORDER BY inbox_id, name, version DESC"""


def add_secrets(
    connection: Connection, vault: Vault, tenant: str, inbox_id: UUID, values: Mapping[str, str], *, grace: timedelta
) -> None:
    """Write new versions; the ones before them are valid until `grace` has passed."""
    with connection.transaction():
        for name, value in values.items():
            connection.execute(
                "UPDATE keys.secrets SET valid_until = least(valid_until, clock_timestamp() + %s) "
                "WHERE inbox_id = %s AND name = %s",
                (grace, inbox_id, name),
            )
            connection.execute(
                "INSERT INTO keys.secrets (tenant, inbox_id, name, version, sealed) SELECT %s, %s, %s, "
                "(SELECT coalesce(max(version), 0) + 1 FROM keys.secrets WHERE inbox_id = %s AND name = %s), %s",
                (tenant, inbox_id, name, inbox_id, name, vault.wrap(value.encode(), _context(inbox_id, name))),
            )


def opened(vault: Vault, rows: Iterable[SecretRow]) -> tuple[dict[str, str], dict[str, str]]:
    """The newest value of each secret of one inbox, and as `<name>_previous` the one before it where it is still valid.

    `rows` newest first. Raises `Unsealable`.
    """
    newest: dict[str, str] = {}
    previous: dict[str, str] = {}
    for inbox_id, name, _, sealed in rows:
        if name not in newest:
            newest[name] = vault.unwrap(sealed, _context(inbox_id, name)).decode()
        elif f"{name}_previous" not in previous:
            previous[f"{name}_previous"] = vault.unwrap(sealed, _context(inbox_id, name)).decode()
    return newest, previous


def _context(inbox_id: UUID, name: str) -> bytes:
    return f"{inbox_id}/{name}".encode()
