"""A running installation: two tenants, tokens of every role, the intake, read models that follow, the API."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
from fastapi import FastAPI

from channels.contract import Blob, Heard, InboundRequest, Origin
from schemas.interaction import Attachment, AttachmentName, Content, InteractionReceived, ReceiptReported, Recipient
from services.api.app import build
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.submission import Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.limits import Limits
from services.projector import app as projector
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from services.tenancy.tokens import ROLES, add_token

SMS = NewInbox("sms/twilio", "Sales", "+98 21 9100 0000", {}, {"auth_token": "twilio-secret"})
ALI = "tel:+989121234567"
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
NATURAL_NAME = "twilio:+982191000000"


@dataclass(slots=True)
class House:
    """What tests talk to. `secrets[tenant][role]` are tokens."""

    settings: Settings
    app: FastAPI
    intake: Intake
    http: httpx.AsyncClient
    inboxes: dict[str, UUID]
    secrets: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def as_role(self, role: str, tenant: str = "shop") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[tenant][role]}"}

    async def get(self, path: str, role: str = "operator", tenant: str = "shop", **asked: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.as_role(role, tenant), params=asked or None)

    async def hear(self, heard: Sequence[Heard], tenant: str = "shop", *, reason: str | None = None) -> UUID:
        """Through the intake, as one request; returns its raw_id."""
        origin = Origin(tenant, NATURAL_NAME)
        request = InboundRequest(
            "POST", "https://x.example/hooks/k", (), b"Body=salaam", datetime.now(NOON.tzinfo), origin
        )
        one = Submission(request, self.inboxes[tenant], heard, reason=reason, source_key=None if heard else str(reason))
        await self.intake.submit(one)
        return one.raw_id

    async def say(self, *texts: str, tenant: str = "shop", address: str = ALI, start: int = 0) -> None:
        """Messages a minute apart."""
        for number, text in enumerate(texts, start):
            await self.hear([message(tenant, f"SM{number}", text, address, NOON + timedelta(minutes=number))], tenant)

    async def caught_up(self) -> int:
        """Wait until the read models have everything; returns the position."""
        with psycopg.connect(self.settings.record_url) as connection:
            row = connection.execute("SELECT record.head()").fetchone()
        assert row is not None
        answer = await self.get("/api/v1/timeline", address="tel:+10", min_position=row[0])
        assert answer.status_code == 200, answer.text
        return row[0]


def message(tenant: str, key: str, text: str, address: str = ALI, at: datetime = NOON, **more: Any) -> Heard:
    origin = Origin(tenant, NATURAL_NAME)
    fact = InteractionReceived(
        interaction_id=origin.derive(key, "interaction"),
        kind=more.get("kind", "message"),
        channel=more.get("channel", "sms/twilio"),
        attachments=more.get("attachments", ()),
        personal=Content(address=address, text=text, attachments=more.get("names", ())),
    )
    return Heard(key, address, fact, at, more.get("blobs", ()))


def with_file(tenant: str, key: str, name: str, content: bytes, media_type: str) -> Heard:
    file_id = Origin(tenant, NATURAL_NAME).derive(key, "attachment")
    return message(
        tenant,
        key,
        "see there",
        attachments=(Attachment(attachment_id=file_id, media_type=media_type, bytes=len(content)),),
        names=(AttachmentName(attachment_id=file_id, name=name),),
        blobs=(Blob(file_id, content),),
    )


def receipt(tenant: str, key: str, state: Any, address: str = ALI, at: datetime = NOON) -> Heard:
    interaction_id = Origin(tenant, NATURAL_NAME).derive(key, "interaction")
    fact = ReceiptReported(
        interaction_id=interaction_id,
        channel="sms/twilio",
        state=state,
        reported=state,
        personal=Recipient(address=address),
    )
    return Heard(f"{key}-{state}", address, fact, at)


@asynccontextmanager
async def opened(settings: Settings, *, projecting: bool = True, searching: bool = False) -> AsyncGenerator[House]:
    inboxes: dict[str, UUID] = {}
    with Tenancy(settings) as tenancy:
        for slug in ("shop", "rival"):
            tenancy.add_tenant(RegisterTenant(slug, slug.capitalize()))
            inboxes[slug] = tenancy.add_inbox(slug, SMS).inbox.inbox_id
    secrets = {
        slug: {role: add_token(settings.record_url, slug, role, role, None)[1] for role in ROLES} for slug in inboxes
    }
    app = build(settings, limits=Limits(100_000, 100_000))
    stop = asyncio.Event()
    roles = [projector.run] * projecting + [projector.run_search] * searching
    work = [(asyncio.create_task(role(settings, stop, (ready := asyncio.Event()).set)), ready) for role in roles]
    keys = pool(settings.keys_url)
    await keys.open()
    intake = Intake(settings.record_url, Ring(keys, Vault(settings.secrets())), BlobStore(settings.blob_url))
    intake.start()
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://tamas") as http,
    ):
        for task, ready in work:
            await asyncio.wait({task, asyncio.ensure_future(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        yield House(settings, app, intake, http, inboxes, secrets)
    await intake.stop()
    await keys.close()
    stop.set()
    await asyncio.gather(*(task for task, _ in work))
