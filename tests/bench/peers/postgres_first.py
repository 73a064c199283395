"""Peer (b), as a competent newcomer writes it: FastAPI takes the webhook, psycopg inserts it, committed."""

import gc
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from tests.bench.peers.message import InboundSms
from tests.bench.peers.signature import is_signed

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
    """For `uvicorn --factory`. Environment: DATABASE, TOKEN, PUBLIC_URL, TUNED (a pool of so many, in autocommit)."""
    tuned = int(os.environ.get("TUNED", "0"))
    token, url = os.environ["TOKEN"], os.environ["PUBLIC_URL"]
    pool = AsyncConnectionPool(
        os.environ["DATABASE"], min_size=tuned or 4, open=False, kwargs={"autocommit": bool(tuned)}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await pool.open()
        async with pool.connection() as connection:
            await connection.execute(_TABLE)
        if tuned:
            gc.collect()
            gc.freeze()
        yield
        await pool.close()

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms")
    async def inbound(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not is_signed(token, f"{url}/sms", form, request.headers.get("X-Twilio-Signature", "")):
            raise HTTPException(403)
        message = InboundSms.model_validate(form)
        async with pool.connection() as connection:
            await connection.execute(
                _INSERT, (message.message_sid, message.sender, message.recipient, message.body, Jsonb(form))
            )
        return Response("<Response/>", media_type="text/xml")

    return api
