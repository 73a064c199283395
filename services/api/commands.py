"""Commands of people about conversations and messages: each is carried out once, and what is not there is a 404."""

import contextlib
from collections.abc import AsyncGenerator, Generator
from typing import Final
from uuid import UUID, uuid4

import orjson
from fastapi import Request
from pydantic import BaseModel

from services.answering.asking import NotThere
from services.api.idempotency import command_id, once
from services.api.problems import not_found
from services.api.runtime import runtime_of
from services.tenancy.tokens import Token

_NOTHING: Final = b"null"


class Recorded(BaseModel):
    """Where it was recorded; of what was so already, where it became so."""

    position: int


@contextlib.asynccontextmanager
async def carried_out(
    request: Request, token: Token, key: str | None, body: BaseModel | None = None
) -> AsyncGenerator[UUID]:
    """The command's id, alone with its key: with it the same again gets the first answer.

    Raises:
        Problem: 422, the key was used for another body.
    """
    if key is None:
        yield uuid4()
        return
    runtime = runtime_of(request)
    written = _NOTHING if body is None else orjson.dumps(body.model_dump(), option=orjson.OPT_SORT_KEYS)
    asked = request.url.query.encode()
    command = command_id(token.tenant, f"{request.method} {request.url.path}", key, written + asked)
    async with runtime.commands, once(runtime, token.tenant, command):
        yield command


@contextlib.contextmanager
def found(what: str) -> Generator[None]:
    """Raises `Problem` (404) for what is another tenant's or nobody's."""
    try:
        yield
    except NotThere as error:
        raise not_found(what) from error
