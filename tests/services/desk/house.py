"""A desk with everything behind it: intake, deciders, read models, and people who sign in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from playwright.async_api import BrowserContext, Locator, Page, expect

from services.desk.app import run
from services.desk.floor import Floor
from services.desk.users import add_user
from services.projector import app as projector
from services.settings import Settings
from tests.services.api.house import House, opened
from tests.services.conversations.deciding import caught_up, deciding
from tests.services.ingress.browser import PATIENCE_MS

PASSWORD = "correct horse battery"


@dataclass(slots=True)
class Running:
    """A desk that can be stopped and started again on its port."""

    settings: Settings
    stop: asyncio.Event
    task: "asyncio.Task[None]"
    floor: Floor
    url: str

    async def end(self) -> None:
        self.stop.set()
        await self.task


@dataclass(slots=True)
class Desk:
    """What tests talk to. `people` are ids by login."""

    house: House
    people: dict[str, UUID]
    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    async def again(self) -> None:
        """Start it anew, where it was."""
        await self.running.end()
        listen = self.url.removeprefix("http://").removesuffix("/desk")
        self.running = await started(self.house.settings.model_copy(update={"desk_listen": listen}))

    async def caught_up(self) -> None:
        """Until all that was said is in the lists."""
        await caught_up(self.house.settings)
        position = await self.house.caught_up()
        answer = await self.house.get("/api/v1/search", q="nothing", min_position=position)
        assert answer.status_code == 200, answer.text


async def started(settings: Settings) -> Running:
    """The role itself."""
    floors: list[Floor] = []
    stop, told = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(settings, stop, told.set_result, started=floors.append))
    await asyncio.wait([task, told], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    url: str = told.result()["desk"]
    return Running(settings, stop, task, floors[0], url)


@asynccontextmanager
async def _searching(settings: Settings) -> AsyncGenerator[None]:
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(projector.run_search(settings, stop, ready.set))
    await asyncio.wait([task, asyncio.ensure_future(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield
    stop.set()
    await task


@asynccontextmanager
async def desk_of(settings: Settings) -> AsyncGenerator[Desk]:
    """People of the shop: sara and omid; omid reads Persian. hana is of the rival."""
    expect.set_options(timeout=PATIENCE_MS)
    async with opened(settings) as house, deciding(settings), _searching(settings):
        url = settings.record_url
        people = {
            "sara": add_user(url, "shop", "sara", "Sara Karimi", PASSWORD),
            "omid": add_user(url, "shop", "omid", "امید رضایی", PASSWORD, language="fa"),
            "hana": add_user(url, "rival", "hana", "Hana", PASSWORD),
        }
        desk = Desk(house, people, await started(settings))
        try:
            yield desk
        finally:
            await desk.running.end()


class Seen:
    """The desk on a page, as an agent sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator("#list-waiting .row:not(.gone)")
        self.mine = page.locator("#list-mine .row:not(.gone)")
        self.head = page.locator("#head")
        self.answer = page.locator("#answer")
        self.entries = page.locator("#thread .entry")
        self.toast = page.locator(".toast")

    def said(self, direction: str) -> Locator:
        return self.page.locator(f"#thread .entry.{direction} .said")

    async def is_live(self) -> "Seen":
        await expect(self.page.locator("#line")).to_have_class("line live")
        return self


async def signed_in(context: BrowserContext, desk: Desk, login: str, path: str = "") -> Seen:
    """A page of this person."""
    page = await context.new_page()
    await page.goto(desk.url)
    await page.locator("#login").fill(login)
    await page.locator("#password").fill(PASSWORD)
    await page.locator("#password").press("Enter")
    await page.wait_for_url("**/desk")
    if path:
        await page.goto(desk.url.removesuffix("/desk") + path)
    return await Seen(page).is_live()
