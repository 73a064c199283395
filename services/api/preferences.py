"""How a customer likes to be answered, and what they allowed."""

from typing import Annotated, Final, cast
from uuid import uuid4

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from psycopg_pool import AsyncConnectionPool

from channels.phone import customer_address
from services.api.access import may
from services.api.answers import as_json
from services.api.body import documented, json_body
from services.api.idempotency import IdempotencyKey, command_id, once
from services.api.preference_shapes import FiledAt, PreferenceBody, Preferences, preferences
from services.api.problems import Problem, guarded
from services.api.runtime import runtime_of
from services.api.settled import region_of
from services.customers.filing import Source, file
from services.customers.on_file import OnFile, on_file
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/preferences", tags=["preferences"])
_Address = Annotated[
    str,
    Query(
        min_length=1,
        max_length=320,
        description="`tel:+98…`, `mailto:…`, or as people write it.",
        examples=["tel:+989121234567"],
    ),
]


@ROUTER.get("", response_model=Preferences, responses=guarded())
async def read_preferences(
    request: Request, token: Annotated[Token, Depends(may("read_preferences"))], address: _Address
) -> Response:
    """What is on file for an address; of an unknown one, nothing."""
    runtime = runtime_of(request)
    known = customer_address(address, await region_of(runtime, token.tenant)) or address
    subject = await runtime.ring.find(token.tenant, known)
    if subject is None:
        return as_json(preferences(known, None, OnFile()))
    # Neither asks anything of a pool but `connection`.
    pool = cast("AsyncConnectionPool", runtime.of(token.tenant))
    found = await on_file(pool, runtime.reader(token.tenant), token.tenant, subject.address_id)
    return as_json(preferences(known, subject.address_id, found))


@ROUTER.put(
    "",
    response_model=FiledAt,
    responses=guarded(409, 413, 415, 422),
    openapi_extra=documented(PreferenceBody),
)
async def put_preferences(
    request: Request,
    token: Annotated[Token, Depends(may("change_preferences"))],
    address: _Address,
    body: Annotated[PreferenceBody, Depends(json_body(PreferenceBody))],
    key: IdempotencyKey = None,
) -> Response:
    """Put preferences on file, in place of what was; answered once they are recorded."""
    runtime = runtime_of(request)
    known = customer_address(address, await region_of(runtime, token.tenant))
    if known is None:
        raise Problem(422, "This is neither a number nor a mailbox nor an address such as tel:+98…")
    source: Source = "agent" if token.role in ("agent", "supervisor") else "api"
    written = orjson.dumps([known, body.model_dump()], option=orjson.OPT_SORT_KEYS)
    command = uuid4() if key is None else command_id(token.tenant, "PUT /preferences", key, written)
    async with once(runtime, token.tenant, command) as answered_at:
        position = answered_at or await file(
            runtime.record_url, runtime.ring, token.tenant, known, body.filed(), source=source, command_id=command
        )
    return as_json({"position": position})
