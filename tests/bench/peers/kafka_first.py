"""Peer (a), as a competent newcomer writes it: FastAPI takes the webhook, FastStream publishes it, acknowledged."""

import gc
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from faststream.kafka import KafkaBroker

from tests.bench.peers.message import InboundSms
from tests.bench.peers.signature import is_signed


def app() -> FastAPI:
    """For `uvicorn --factory`. Environment: KAFKA, TOPIC, TOKEN, PUBLIC_URL, TUNED."""
    broker = KafkaBroker(os.environ["KAFKA"])
    topic, token, url = os.environ["TOPIC"], os.environ["TOKEN"], os.environ["PUBLIC_URL"]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await broker.start()
        if os.environ.get("TUNED"):
            gc.collect()
            gc.freeze()
        yield
        await broker.stop()

    api = FastAPI(lifespan=lifespan)

    @api.post("/sms")
    async def inbound(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not is_signed(token, f"{url}/sms", form, request.headers.get("X-Twilio-Signature", "")):
            raise HTTPException(403)
        message = InboundSms.model_validate(form)
        await broker.publish(message, topic, key=message.sender.encode())
        return Response("<Response/>", media_type="text/xml")

    return api
