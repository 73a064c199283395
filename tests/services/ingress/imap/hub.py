"""The role `imap` and a parser, as they run, on one inbox at a real IMAP server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from services.ingress import app
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.ingress.imap.dovecot import PASSWORD, USER, Dovecot

RECEIVED = "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'"
RAW = "SELECT count(*) FROM record.raw"
PARKED = "SELECT count(*) FROM service.parked"
GAPS = "SELECT convert_from(data, 'UTF8')::json ->> 'uids' FROM record.facts WHERE type = 'mailbox.gap_seen'"
NOTES = "SELECT reason FROM service.requests WHERE result = %s"
PLACE = "SELECT kept_uid, marked_uid FROM service.mailboxes"


@dataclass
class Hub:
    """An installation with one inbox. `rows` and `until` look into its record."""

    settings: Settings
    inbox_id: UUID
    tenancy: Tenancy = field(repr=False)

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.record_url) as connection:
            return connection.execute(query.encode(), given).fetchall()

    async def until(self, query: str, *wanted: Any, given: tuple[Any, ...] = ()) -> None:
        """Until its one row is this; `wanted` empty: until there is a row."""
        found: list[tuple[Any, ...]] = []
        for _ in range(750):
            found = await asyncio.to_thread(self.rows, query, *given)
            if (found == [wanted]) if wanted else found:
                return
            await asyncio.sleep(0.02)
        raise AssertionError((query, found, wanted))

    @asynccontextmanager
    async def running(self, *, with_parser: bool = True) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        ready = [asyncio.Event(), asyncio.Event()]
        roles = [asyncio.create_task(app.run_imap(self.settings, stop, lambda _: ready[0].set()))]
        if with_parser:
            roles.append(asyncio.create_task(app.run_parser(self.settings, stop, lambda _: ready[1].set())))
        try:
            await asyncio.gather(*(one.wait() for one in ready[: len(roles)]))
            yield
        finally:
            stop.set()
            await asyncio.gather(*roles)


@asynccontextmanager
async def hub(settings: Settings, server: Dovecot, password: str = PASSWORD, **given: str) -> AsyncGenerator[Hub]:
    """One inbox of this server; `given` are more of its settings."""
    own = {"host": "127.0.0.1", "port": str(server.port), "tls": "none", "user": USER, **given}
    with Tenancy(settings) as tenancy:

        def add() -> UUID:
            tenancy.add_tenant(RegisterTenant(slug="shop", name="Shop"))
            new = NewInbox("email/imap", "help", "help@shop.example", own, {"password": password})
            return tenancy.add_inbox("shop", new).inbox.inbox_id

        yield Hub(settings, await asyncio.to_thread(add), tenancy)


def letter(number: int, text: str = "Where is my order?") -> bytes:
    return (
        f"From: Sara <sara{number % 7}@example.com>\r\nTo: help@shop.example\r\nSubject: order {number}\r\n"
        f"Date: Fri, 20 Nov 2026 13:00:00 +0330\r\nMessage-ID: <{number}@example.com>\r\n\r\n{text} سلام {number}\r\n"
    ).encode()
