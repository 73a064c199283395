"""Running edges with a chat, and visitors at their sockets."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from channels.signing import visitor_proof
from services.ingress import app
from services.settings import Settings
from services.tenancy.store import InboxView, NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant

KEY = "the proof key of the shop's site"
V1 = Subprotocol("tamas.chat.v1")
LINES = "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'"


@dataclass(frozen=True)
class Chats:
    """An installation with one open chat, served by some edges."""

    settings: Settings
    https: list[str]
    inbox_id: UUID
    key: str

    def path(self, rest: str = "/socket", edge: int = 0) -> str:
        return f"{self.https[edge]}/chat/{self.key}{rest}"

    def count(self, query: str = LINES) -> int:
        with psycopg.connect(self.settings.record_url) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    async def until(self, question: str) -> None:
        """Wait until the answer is yes."""
        for _ in range(3000):
            if self.count(question):
                return
            await asyncio.sleep(0.01)
        assert self.count(question), question

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.record_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.settings.record_url) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def change(self, settings: Mapping[str, str], secrets: Mapping[str, str], grace: Any) -> None:
        with Tenancy(self.settings) as tenancy:
            tenancy.change_inbox("shop", self.inbox_id, settings, secrets, grace=grace)


def code_of(closed: ConnectionClosed) -> int:
    """What the other side said; 1006 when it said nothing (RFC 6455 section 7.1.5)."""
    return 1006 if closed.rcvd is None else closed.rcvd.code


class Visitor:
    """One socket of somebody."""

    def __init__(self, socket: ClientConnection, welcome: dict[str, Any]) -> None:
        self.socket = socket
        self.welcome = welcome
        self.name: str = welcome.get("visitor", "")

    async def tell(self, text: str, message_id: str | None = None) -> str:
        """Send it without waiting; returns its id."""
        message_id = message_id or str(uuid4())
        await self.socket.send(json.dumps({"t": "message", "id": message_id, "text": text}))
        return message_id

    async def hears(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 20))

    async def writes(self, text: str, message_id: str | None = None) -> dict[str, Any]:
        """Send it; returns its ack."""
        await self.tell(text, message_id)
        return await self.hears()

    async def is_told_nothing(self) -> bool:
        try:
            await asyncio.wait_for(self.socket.recv(), 0.3)
        except TimeoutError:
            return True
        return False

    async def closing(self) -> int:
        """The code it is closed with; whatever else comes before is passed over."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), 20)
        except ConnectionClosed as closed:
            return code_of(closed)


@asynccontextmanager
async def socket_of(url: str, origin: str | None = None, **headers: str) -> AsyncGenerator[ClientConnection]:
    asked = None if origin is None else Origin(origin)
    address = url.replace("http", "ws", 1)
    async with connect(address, subprotocols=[V1], origin=asked, additional_headers=headers, proxy=None) as socket:
        yield socket


@asynccontextmanager
async def visit(
    chats: Chats, visitor: str | None = None, proof: str | None = None, after: int = 0, *, edge: int = 0
) -> AsyncGenerator[Visitor]:
    async with socket_of(chats.path(edge=edge)) as socket:
        await socket.send(json.dumps({"t": "hello", "visitor": visitor, "proof": proof, "after": after}))
        try:
            welcome: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 20))
        except ConnectionClosed:
            welcome = {}
        yield Visitor(socket, welcome)


def proof_of(visitor: str, key: str = KEY) -> str:
    return visitor_proof(key, visitor)


def added_chat(settings: Settings) -> InboxView:
    """A shop with one chat."""
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(slug="shop", name="Shop"))
        return tenancy.add_inbox("shop", NewInbox("chat/widget", "Shop site", "", {}, {"proof_key": KEY}))


@asynccontextmanager
async def running_chats(
    settings: Settings, *, edges: int = 1, url: str | None = None, added: InboxView | None = None
) -> AsyncGenerator[Chats]:
    """`url` is where the edges find PostgreSQL, when that is not where the test looks."""
    added = added or added_chat(settings)
    reached = settings if url is None else settings.model_copy(update=dict.fromkeys(("record_url", "keys_url"), url))
    listening = reached.model_copy(update={"http_listen": "127.0.0.1:0", "smtp_listen": "127.0.0.1:0"})
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    told = [loop.create_future() for _ in range(edges)]
    roles = [asyncio.create_task(app.run(listening, stop, one.set_result)) for one in told]
    found = await asyncio.gather(*told)
    try:
        yield Chats(settings, [one["http"] for one in found], added.inbox.inbox_id, added.key or "")
    finally:
        stop.set()
        await asyncio.gather(*roles)
