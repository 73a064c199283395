"""Every page: no complaint of the browser, nothing that breaks WCAG 2.2 AA, Persian from right to left."""

import re

import pytest
from playwright.async_api import Page, expect

from services.desk import statics
from services.desk.templating import digits
from services.desk.wording import WORDS
from services.settings import Settings
from tests.house.vendored import FOLDER, digest_of, locked
from tests.services.desk.axe import findings
from tests.services.desk.house import desk_of, signed_in
from tests.services.desk.scene import long_talk, set_up
from tests.services.ingress.browser import chromium

PHYSICAL = re.compile(
    r"(?:margin|padding|border|inset)-(?:left|right|top|bottom)|[^-](?:left|right|top|bottom):|float:"
)


@pytest.mark.parametrize(("login", "theme"), [("sara", "light"), ("omid", "dark")])
async def test_nothing_on_any_page_breaks_a_rule(settings: Settings, login: str, theme: str) -> None:
    async with desk_of(settings) as desk, chromium("fa-IR" if login == "omid" else "en") as (context, console):
        await set_up(desk.house)
        await desk.caught_up()
        door = await context.new_page()
        await door.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        await door.goto(desk.url)
        assert await findings(door) == []
        seen = await signed_in(context, desk, login)
        page = seen.page
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        for width, height in ((1024, 768), (1920, 1080)):
            await page.set_viewport_size({"width": width, "height": height})
            await _walk(page)
        assert await page.locator("html").get_attribute("dir") == ("rtl" if login == "omid" else "ltr")
        assert console.errors == []


async def _walk(page: Page) -> None:
    await page.locator("#tab-waiting").click()
    for row in await page.locator("#list-waiting .row a").all():
        await row.click()
        await expect(row).to_have_attribute("aria-current", "true")
        await expect(page.locator("#way")).not_to_be_empty()
        assert await findings(page) == []
        width = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
    await page.keyboard.press("Escape")
    await page.locator("#show-keys").click()
    assert await findings(page) == []
    await page.keyboard.press("Escape")


async def test_a_long_conversation_comes_in_pieces(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await long_talk(desk.house, 230)
        await desk.caught_up()
        seen = await signed_in(context, desk, "sara")
        await seen.rows.first.locator("a").click()
        await expect(seen.said("in").last).to_have_text("Message 229 of many: is there news?")
        thread = seen.page.locator("#thread")
        at_end = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2"
        assert await thread.evaluate(at_end)
        assert await seen.entries.count() < 200
        for _ in range(8):
            await thread.evaluate("(box) => box.scrollTo(0, 0)")
            await seen.page.wait_for_timeout(400)
        await expect(seen.said("in").first).to_have_text("Message 0 of many: is there news?")
        ids = await seen.entries.evaluate_all("(all) => all.map((one) => one.id)")
        assert len(ids) == len(set(ids))
        assert console.errors == []


async def test_in_persian_our_numbers_are_persian_and_theirs_are_theirs(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium("fa-IR") as (context, console):
        await desk.house.say("order 88213")
        await desk.caught_up()
        seen = await signed_in(context, desk, "omid")
        await expect(seen.page.locator("[data-count=waiting]")).to_have_text("۱")
        await seen.rows.first.locator("a").click()
        await expect(seen.said("in")).to_have_text(["order 88213"])
        await expect(seen.page.locator("#talk-title bdi")).to_have_attribute("dir", "ltr")
        await expect(seen.page.locator("#way")).to_contain_text("مشتری با پیامک پرسید.")
        await seen.answer.fill("سلام")
        await expect(seen.page.locator("#way .counted")).to_have_text("یک پیامک · ۴ واحد، UCS-2")
        await seen.page.get_by_role("button", name="English").click()
        await expect(seen.page.locator("html")).to_have_attribute("lang", "en")
        assert console.errors == []


def test_both_languages_say_everything() -> None:
    assert set(WORDS["fa"]) == set(WORDS["en"])
    placed = re.compile(r"\{(\w+)\}")
    for word, said in WORDS["en"].items():
        assert set(placed.findall(WORDS["fa"][word])) == set(placed.findall(said)), word
    assert (digits("fa", 2026), digits("en", 2026)) == ("۲۰۲۶", "2026")


def test_the_stylesheet_knows_no_left_and_right() -> None:
    style = (FOLDER.parent / "desk.css").read_text("utf-8")
    assert PHYSICAL.findall(style) == []


def test_what_is_vendored_is_what_is_locked() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.name != "vendor.lock"}
    assert {one.file: one.digest for one in locked()} == {
        name: digest_of((FOLDER / name).read_bytes()) for name in files
    }


def test_the_pages_files_are_few() -> None:
    whole, travels = statics.sizes()
    assert travels < whole < 400_000
    assert travels < 250_000
