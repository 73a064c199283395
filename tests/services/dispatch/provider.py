"""A provider on a real socket that counts what it is sent, and a sender that speaks to it over real HTTP."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from channels.sending import (
    HandedOff,
    InDoubt,
    MailAnswer,
    MailServer,
    Outgoing,
    Rejected,
    Retryable,
    Sender,
    Unanswered,
    Unsent,
    Wires,
)
from services.wires.http import HttpWire


@dataclass
class Provider:
    """`answers` are given in turn to what comes; after them, all is taken."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    answers: list[int | None] = field(default_factory=list[int | None])
    seconds: float = 0.0

    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]

    async def take(self, request: web.Request) -> web.Response:
        post = json.loads(await request.read())
        self.posts.append(post)
        await asyncio.sleep(self.seconds)
        status = self.answers.pop(0) if self.answers else 200
        if status is None:
            # It took it, and the answer is lost.
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": f"P{len(self.posts)}-{post['message_id']}"}, status=status or 200)


@contextlib.asynccontextmanager
async def providing() -> AsyncGenerator[Provider]:
    provider, app = Provider(), web.Application()
    app.router.add_post("/send", provider.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"{runner.addresses[0][0]}:{runner.addresses[0][1]}"
    provider.url = f"http://{provider.url}/send"
    try:
        yield provider
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Posting:
    """Sends a message as JSON; a repeat is known where the provider says so."""

    url: str
    idempotent: bool = False

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:
        body = {"message_id": str(message.message_id), "to": message.address, "text": message.text}
        body |= {"attempt": message.attempt, "reference": message.reference, "status_url": message.status_url}
        body |= {"subject": message.thread.subject, "references": message.thread.references}
        body |= {"files": [one.content.decode() for one in message.attachments], "form": message.form}
        try:
            answer = await wires.http.post(self.url, body=json.dumps(body).encode(), headers=())
        except Unsent as error:
            raise Retryable("unreachable", "The provider cannot be reached.") from error
        except Unanswered as error:
            raise InDoubt("The provider did not answer.") from error
        if answer.status == 429:
            raise Retryable("throttled", "The provider wants less.", after_seconds=0.2)
        if answer.status >= 500:
            raise Retryable("away", "The provider is away.")
        if answer.status >= 400:
            raise Rejected("21211", "The provider knows no such number.")
        return HandedOff(json.loads(answer.body)["id"])


class NoMail:
    """Nothing here is sent by SMTP."""

    async def submit(self, server: MailServer, sender: str, recipient: str, content: bytes) -> MailAnswer:
        raise Unsent(f"{server} {sender} {recipient} {len(content)}")


@contextlib.asynccontextmanager
async def wired_to_http() -> AsyncGenerator[Wires]:
    http = HttpWire()
    try:
        yield Wires(http, NoMail())
    finally:
        await http.close()


def makers(url: str, *, idempotent: bool = False) -> dict[str, Callable[[Mapping[str, str]], Sender]]:
    """Every channel sends there."""
    sender = Posting(url, idempotent)
    return dict.fromkeys(("sms/twilio", "email/smtp", "chat/widget"), lambda _: sender)


def message_ids(provider: Provider) -> list[UUID]:
    return [UUID(post["message_id"]) for post in provider.posts]
