"""Peer (b), as a competent newcomer writes it: FastAPI takes the webhook, psycopg inserts it, committed.

Factories for `uvicorn --factory`. Environment: DATABASE, TOKEN, PUBLIC_URL.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Form, Request, Response
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from tests.bench.peers.message import InboundSms, Kept, Signed, add_calls_and_form, freeze, signed_message

_Pool = AsyncConnectionPool[AsyncConnection]
_TUNED_CONNECTIONS = 16
_TABLE = """
    CREATE TABLE IF NOT EXISTS messages (
        message_sid text PRIMARY KEY,
        sender      text NOT NULL,
        recipient   text NOT NULL,
        body        text NOT NULL,
        payload     jsonb NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now()
    )"""
_INSERT = """
    INSERT INTO messages (message_sid, sender, recipient, body, payload) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""


def app() -> FastAPI:
    pool: _Pool = AsyncConnectionPool(os.environ["DATABASE"], open=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with pool:
            await _create(pool)
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms", dependencies=[Depends(Signed())])
    async def inbound(message: Annotated[InboundSms, Form()]) -> Response:  # pyright: ignore[reportUnusedFunction]
        async with pool.connection() as connection:
            await connection.execute(_INSERT, _row(message))
        return Response("<Response/>", media_type="text/xml")

    async def keep(one: Kept) -> None:
        async with pool.connection() as connection:
            await connection.execute(_INSERT, _row(one))

    add_calls_and_form(api, keep, tuned=False)
    return api


def tuned() -> FastAPI:
    pool: _Pool = AsyncConnectionPool(
        os.environ["DATABASE"], open=False, min_size=_TUNED_CONNECTIONS, kwargs={"autocommit": True}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with pool:
            await _create(pool)
            freeze()
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms")
    async def inbound(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        row = _row(await signed_message(request))
        async with pool.connection() as connection:
            await connection.execute(_INSERT, row)
        return Response("<Response/>", media_type="text/xml")

    async def keep(one: Kept) -> None:
        async with pool.connection() as connection:
            await connection.execute(_INSERT, _row(one))

    add_calls_and_form(api, keep, tuned=True)
    return api


async def _create(pool: _Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute(_TABLE)


def _row(message: Kept) -> tuple[object, ...]:
    return message.message_sid, message.sender, message.recipient, message.body, Jsonb(message.model_dump())
