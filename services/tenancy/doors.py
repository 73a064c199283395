"""The secret path of an inbox: 128 random bits, found by digest, sealed so that its owner can be shown it again."""

import os
from base64 import b32encode
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, Connection

from services.keys.vault import Vault

_KEY_BYTES: Final = 16

DOORS: Final = """
    SELECT digest, inbox_id, nullif(valid_until, 'infinity') FROM keys.doors
    WHERE valid_until > clock_timestamp() AND inbox_id = ANY(%s)"""
_CURRENT: Final = """
    SELECT sealed FROM keys.doors WHERE inbox_id = %s AND valid_until > clock_timestamp()
    ORDER BY valid_until DESC LIMIT 1"""


def new_key() -> str:
    """26 letters and digits that survive being read out, lower case."""
    return b32encode(os.urandom(_KEY_BYTES)).decode().rstrip("=").lower()


def digest(key: str) -> bytes:
    """By what a key is found. Keys are random enough that a plain SHA-256 gives nothing away."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def door_url(public_url: str, channel: str, key: str | None, address: str) -> str | None:
    """What to give to a provider, or to whoever links to a form; a mailbox is its own door. None without a key."""
    kind = channel.partition("/")[0]
    if kind == "email":
        return f"mailto:{address}"
    if key is None:
        return None
    if channel == "chat/widget":
        return f"{public_url}/chat/{key}"
    return f"{public_url}/forms/{key}" if kind == "forms" else f"{public_url}/hooks/{channel}/{key}"


def script_tag(public_url: str, channel: str, key: str | None) -> str | None:
    """What a site puts into its pages to have the widget; None for other channels."""
    if channel != "chat/widget" or key is None:
        return None
    return f'<script async src="{public_url}/chat/{key}/widget.js"></script>'


def add_door(
    connection: Connection, vault: Vault, tenant: str, inbox_id: UUID, key: str, *, grace: timedelta | None = None
) -> None:
    """Open this door; the ones before it close when `grace` has passed (None: there are none)."""
    with connection.transaction():
        if grace is not None:
            connection.execute(
                "UPDATE keys.doors SET valid_until = least(valid_until, clock_timestamp() + %s) WHERE inbox_id = %s",
                (grace, inbox_id),
            )
        connection.execute(
            "INSERT INTO keys.doors (digest, tenant, inbox_id, sealed) VALUES (%s, %s, %s, %s)",
            (digest(key), tenant, inbox_id, vault.wrap(key.encode(), _context(inbox_id))),
        )


def current_key(connection: Connection, vault: Vault, inbox_id: UUID) -> str | None:
    """The key to give to a provider now; None when the inbox has no door. Raises `Unsealable`."""
    row = connection.execute(_CURRENT, (inbox_id,)).fetchone()
    return None if row is None else vault.unwrap(row[0], _context(inbox_id)).decode()


async def current_door(connection: AsyncConnection, vault: Vault, inbox_id: UUID) -> str | None:
    """As `current_key`, without holding the loop."""
    row = await (await connection.execute(_CURRENT, (inbox_id,))).fetchone()
    return None if row is None else vault.unwrap(row[0], _context(inbox_id)).decode()


def _context(inbox_id: UUID) -> bytes:
    return f"door/{inbox_id}".encode()
