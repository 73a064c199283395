"""Peer (a), as a competent newcomer writes it: FastAPI takes the webhook, FastStream publishes it, acknowledged.

Factories for `uvicorn --factory`. Environment: KAFKA, TOPIC, TOKEN, PUBLIC_URL.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Form, Request, Response
from faststream.kafka import KafkaBroker

from tests.bench.peers.message import InboundSms, Kept, Signed, add_calls_and_form, freeze, signed_message


def app() -> FastAPI:
    broker, topic = KafkaBroker(os.environ["KAFKA"]), os.environ["TOPIC"]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with broker:
            await broker.start()
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms", dependencies=[Depends(Signed())])
    async def inbound(message: Annotated[InboundSms, Form()]) -> Response:  # pyright: ignore[reportUnusedFunction]
        await broker.publish(message, topic, key=message.sender.encode())
        return Response("<Response/>", media_type="text/xml")

    async def keep(one: Kept) -> None:
        await broker.publish(one, topic, key=one.sender.encode())

    add_calls_and_form(api, keep, tuned=False)
    return api


def tuned() -> FastAPI:
    broker, topic = KafkaBroker(os.environ["KAFKA"]), os.environ["TOPIC"]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with broker:
            await broker.start()
            freeze()
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms")
    async def inbound(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        message = await signed_message(request)
        await broker.publish(message.model_dump_json().encode(), topic, key=message.sender.encode())
        return Response("<Response/>", media_type="text/xml")

    async def keep(one: Kept) -> None:
        await broker.publish(one.model_dump_json().encode(), topic, key=one.sender.encode())

    add_calls_and_form(api, keep, tuned=True)
    return api
