"""`Idempotency-Key`: the same command again gets the first answer, another command under the same key is refused.

The id of a command is half of its key's digest and half of its body's: one look at the record's commands tells both.
"""

import contextlib
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID

from fastapi import Header

from services.api.problems import Problem
from services.api.runtime import Runtime

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Yours; the same key and body again get the first answer, with another body 422.",
    ),
]
_FIND: Final = "SELECT command_id, position FROM record.commands WHERE tenant = %s AND command_id BETWEEN %s AND %s"
_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_HALF: Final = 64


def command_id(tenant: str, operation: str, key: str, body: bytes) -> UUID:
    """The same for the same command of this tenant, for ever."""
    named = _half(f"{tenant}\0{operation}\0{key}".encode("utf-8", "surrogatepass"))
    return UUID(int=named << _HALF | _half(body))


@contextlib.asynccontextmanager
async def once(runtime: Runtime, tenant: str, command: UUID) -> AsyncGenerator[int | None]:
    """Alone with this key: the position of the first answer, None when this is the first.

    Raises:
        Problem: 422, the key was used for another body.
    """
    lowest = command.int >> _HALF << _HALF
    async with runtime.of(tenant).connection() as connection:
        await connection.execute(_LOCK, (_signed(command.int >> _HALF),))
        cursor = await connection.execute(_FIND, (tenant, UUID(int=lowest), UUID(int=lowest | (1 << _HALF) - 1)))
        row = await cursor.fetchone()
        if row is not None and row[0] != command:
            raise Problem(422, "This Idempotency-Key was used for another body.", code="key_reused")
        yield None if row is None else row[1]


def _half(value: bytes) -> int:
    return int.from_bytes(sha256(value).digest()[: _HALF // 8], "big")


def _signed(value: int) -> int:
    return value - (1 << _HALF) if value >> (_HALF - 1) else value
