"""`make screenshots`: the desk as people see it, into build/screenshots. Run by its path; it is no test of a run."""

import asyncio
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import pytest
from playwright.async_api import BrowserContext, Page, expect

from schemas.customer import QuietHours
from schemas.outbound import MessageHandedOff, MessageReported, MessageStarted
from services.answering.answering import Draft
from services.conversations.commands import Take
from services.customers.filing import Consent, Filed, file
from services.record.decisions import Decided
from services.settings import Settings
from tests.house.tree import ROOT
from tests.services.api.house import ALI
from tests.services.desk.house import Desk, desk_of, signed_in
from tests.services.desk.scene import set_up
from tests.services.ingress.browser import chromium

FOLDER: Final = ROOT / "build" / "screenshots"
SIZES: Final = ((1024, 768), (1440, 900), (1920, 1080))
SHOWN: Final = (("sara", "en", "light"), ("sara", "en", "dark"), ("omid", "fa-IR", "light"), ("omid", "fa-IR", "dark"))


@pytest.mark.timeout(900)
async def test_screenshots(settings: Settings) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with desk_of(settings) as desk:
        await set_up(desk.house)
        await desk.caught_up()
        await _on_file(desk)
        await _answered(desk)
        for login, language, theme in SHOWN:
            async with chromium(language) as (context, console):
                await _shoot(desk, context, login, theme)
                assert console.errors == []


async def _shoot(desk: Desk, context: BrowserContext, login: str, theme: str) -> None:
    name = f"{'fa' if login == 'omid' else 'en'}-{theme}"
    door = await context.new_page()
    await _look(door, theme)
    await door.goto(desk.url)
    await door.set_viewport_size({"width": 1024, "height": 768})
    await door.screenshot(path=FOLDER / f"sign-in-{name}.png")
    seen = await signed_in(context, desk, login)
    await _look(seen.page, theme)
    await seen.page.locator("#list-mine .row a, #list-waiting .row a").first.click()
    await expect(seen.page.locator("#way")).not_to_be_empty()
    await seen.answer.fill(
        "سلام، بستهٔ شما امروز تا ساعت پنج می‌رسد." if login == "omid" else "Your parcel comes today before five."
    )
    await expect(seen.page.locator("#way .counted")).to_be_visible()
    for width, height in SIZES:
        await seen.page.set_viewport_size({"width": width, "height": height})
        await asyncio.sleep(0.4)
        await seen.page.screenshot(path=FOLDER / f"desk-{name}-{width}.png")
    await seen.page.set_viewport_size({"width": 1440, "height": 900})
    await seen.page.locator(".row", has_text="miriam").locator("a").click()
    await asyncio.sleep(0.8)
    await seen.page.locator("#ways summary").click()
    await seen.page.screenshot(path=FOLDER / f"mail-{name}.png")
    await seen.page.locator("#show-keys").click()
    await seen.page.screenshot(path=FOLDER / f"keys-{name}.png")


async def _look(page: Page, theme: str) -> None:
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")


async def _on_file(desk: Desk) -> None:
    filed = Filed(
        ("sms", "email"),
        QuietHours(begins="22:00", ends="08:00"),
        language="fa",
        time_zone="Asia/Tehran",
        consents=(Consent("sms", "service", True), Consent("email", "marketing", False)),
    )
    settings = desk.house.settings
    await file(settings.record_url, desk.running.floor.ring, "shop", ALI, filed, source="agent", command_id=uuid4())


async def _answered(desk: Desk) -> None:
    """An answer that was delivered and one that goes out; both agents have one conversation."""
    items = (await desk.house.get("/api/v1/conversations")).json()["items"]
    first, second = (UUID(item["conversation_id"]) for item in items[:2])
    answering = desk.running.floor.answering
    for of, login in ((first, "sara"), (second, "omid")):
        await answering.command("shop", of, Take(desk.people[login]), command_id=uuid4())
    asked = await answering.ask(
        "shop", first, Draft("سلام! همین حالا نگاه می‌کنم."), command_id=uuid4(), now=datetime.now(UTC),
        agent_id=desk.people["sara"],
    )  # fmt: skip
    message_id, way = asked.message_id, asked.resolution
    facts = (
        MessageStarted(message_id=message_id, attempt=1, channel=way.channel, inbox_id=way.inbox_id),
        MessageHandedOff(message_id=message_id, attempt=1, provider_id="SM1", receipts_as=uuid4()),
        MessageReported(message_id=message_id, attempt=1, state="delivered"),
    )
    decided = [Decided(message_id, version, "shop", fact) for version, fact in enumerate(facts, 3)]
    await asyncio.to_thread(desk.running.floor.decisions.save, decided)
    await answering.ask(
        "shop", first, Draft("It left our house yesterday and comes today."), command_id=uuid4(),
        now=datetime.now(UTC), agent_id=desk.people["sara"],
    )  # fmt: skip
    await desk.house.say("Thank you, that is kind!", start=30)
    await desk.caught_up()
