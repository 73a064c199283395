"""A running edge with a shop's inboxes, for tests that go through the front door."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from services.ingress import app
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Edge:
    settings: Settings
    http: str
    smtp: str
    lmtp: str
    sms_path: str
    form_path: str

    def count(self, query: str) -> int:
        with psycopg.connect(self.settings.record_url) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    async def until(self, query: str, wanted: int) -> None:
        for _ in range(400):
            if self.count(query) == wanted:
                return
            await asyncio.sleep(0.02)
        assert self.count(query) == wanted, query


@asynccontextmanager
async def running_edge(settings: Settings, *, with_parser: bool = True) -> AsyncGenerator[Edge]:
    listening = settings.model_copy(
        update={"http_listen": "127.0.0.1:0", "smtp_listen": "127.0.0.1:0", "lmtp_listen": "127.0.0.1:0"}
    )
    sms, form = await asyncio.to_thread(_inboxes, settings)
    async with _running(listening, f"/hooks/sms/twilio/{sms}", f"/forms/{form}", with_parser=with_parser) as made:
        yield made


@asynccontextmanager
async def running_again(before: Edge, *, with_parser: bool = False) -> AsyncGenerator[Edge]:
    """Another process for the same shop."""
    async with _running(before.settings, before.sms_path, before.form_path, with_parser=with_parser) as made:
        yield made


@asynccontextmanager
async def _running(listening: Settings, sms_path: str, form_path: str, *, with_parser: bool) -> AsyncGenerator[Edge]:
    stop, told = asyncio.Event(), asyncio.get_running_loop().create_future()
    roles = [asyncio.create_task(app.run(listening, stop, told.set_result))]
    if with_parser:
        roles.append(asyncio.create_task(app.run_parser(listening, stop, lambda _: None)))
    found = await told
    try:
        yield Edge(listening, found["http"], found["smtp"], found["lmtp"], sms_path, form_path)
    finally:
        stop.set()
        await asyncio.gather(*roles)


def _inboxes(settings: Settings) -> tuple[str, str]:
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(slug="shop", name="Shop"))
        secrets = {"auth_token": AUTH_TOKEN}
        sms = tenancy.add_inbox("shop", NewInbox("sms/twilio", "sms", "+982191001234", {}, secrets))
        tenancy.add_inbox("shop", NewInbox("email/smtp", "help", "help@shop.example", {}, {}))
        tenancy.add_inbox("shop", NewInbox("email/smtp", "sales", "sales@shop.example", {}, {}))
        form = tenancy.add_inbox("shop", NewInbox("forms/web", "form", "form", {}, {}))
    return sms.key or "", form.key or ""
