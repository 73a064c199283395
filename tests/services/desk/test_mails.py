"""Mails as they were sent, in a real browser: nothing of them runs, nothing is fetched, and a reader sees them."""

import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import BrowserContext, FrameLocator, Page, expect

from services.desk import mails
from services.settings import Settings
from tests.services.desk.axe import findings
from tests.services.desk.house import PASSWORD, Desk, Seen, desk_of, signed_in
from tests.services.desk.letters import HOSTILE, NEWS, letter
from tests.services.ingress.browser import chromium


async def _opened(desk: Desk, context: BrowserContext, login: str = "sara") -> tuple[Seen, FrameLocator]:
    await desk.caught_up()
    seen = await signed_in(context, desk, login)
    await seen.rows.first.locator("a").click()
    # As a keyboard does it.
    await seen.page.locator(".as-sent summary").last.focus()
    await seen.page.keyboard.press("Enter")
    return seen, seen.page.frame_locator(".as-sent iframe")


def _path(page: Page) -> str:
    return next(frame.url for frame in page.frames if "/desk/mails/" in frame.url)


@pytest.mark.parametrize("size", [0, 2_000_000])
async def test_of_a_hostile_mail_nothing_runs_and_nothing_is_fetched(settings: Settings, size: int) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.hear([letter("H", HOSTILE + "<p>and more</p>" * (size // 15))])
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        seen, mail = await _opened(desk, context)
        await expect(mail.get_by_text("Still here")).to_be_visible()
        await expect(mail.locator(".note")).to_have_text(re.compile("^1 picture from elsewhere is not shown"))
        gone = "script, iframe, object, embed, form, input, button, svg, video, base, meta, link, style"
        await expect(mail.locator(f"body :is({gone})")).to_have_count(0)
        await mail.get_by_text("Press here").click()
        await seen.page.wait_for_timeout(1000)
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(desk.url).netloc}
        assert "mine" not in await seen.page.title()
        assert len(context.pages) == 1
        assert console.errors == []


async def test_a_layout_is_readable_and_its_links_say_where_they_lead(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.hear([letter("N", NEWS)])
        seen, mail = await _opened(desk, context)
        await expect(mail.locator(".note")).to_have_text(re.compile("^2 pictures from elsewhere are not shown"))
        logo = mail.locator("img[src]")
        await expect(logo).to_have_count(1)
        await expect(logo).to_have_js_property("naturalWidth", 48)
        assert await findings(seen.page) == []
        await context.route("https://shiraz.example/**", lambda route: route.fulfill(body="there"))
        await mail.get_by_role("link", name="The order").hover()
        shown = "(one) => getComputedStyle(one, '::after').content"
        assert "https://shiraz.example/orders/88213" in await mail.get_by_text("The order").evaluate(shown)
        async with context.expect_page() as opened:
            await mail.get_by_text("The order").click()
        there = await opened.value
        await expect(there.locator("body")).to_have_text("there")
        assert await there.evaluate("[window.opener, document.referrer]") == [None, ""]
        summary = seen.page.locator(".as-sent summary")
        await summary.press("Enter")
        await expect(seen.page.locator(".as-sent iframe")).to_have_count(0)
        # The browser says so where this test looks into the frame with a script.
        assert [text for text in console.errors if "Blocked script execution" not in text] == []


async def test_a_mail_of_text_is_text_and_what_is_no_mail_has_no_button(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium("fa-IR") as (context, console):
        await desk.house.hear([letter("T", None, "سلام <b>دوست</b>\n> سفارش", subject="سفارش")])
        seen, mail = await _opened(desk, context, "omid")
        await expect(mail.locator(".plain")).to_have_text("سلام <b>دوست</b>\n> سفارش\n", use_inner_text=True)
        await expect(mail.locator(".plain")).to_have_css("direction", "rtl")
        await desk.house.say("an sms")
        await desk.caught_up()
        await seen.rows.filter(has_text="an sms").locator("a").click()
        await expect(seen.said("in")).to_have_text(["an sms"])
        await expect(seen.page.locator(".as-sent")).to_have_count(0)
        assert console.errors == []


async def test_what_would_cost_too_much_is_not_shown(settings: Settings) -> None:
    # What 2 MB of this would become has no room in any machine.
    bomb = "".join(f"<p><font size={number}>" for number in range(20_000))
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.hear([letter("B", bomb, "Have a look")])
        seen, mail = await _opened(desk, context)
        await expect(mail.locator(".note")).to_have_text(re.compile("^This mail is too much to be shown"))
        await expect(seen.said("in").first).to_have_text("Have a look")
        assert console.errors == []


async def test_a_mail_is_for_its_own_people_and_under_its_own_policy(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, _), chromium() as (others, _):
        await desk.house.hear([letter("P", NEWS)])
        seen, mail = await _opened(desk, context)
        await expect(mail.get_by_text("Dear Acme")).to_be_visible()
        url = _path(seen.page)
        answer = await seen.page.request.get(url)
        assert answer.headers["content-security-policy"] == mails.POLICY
        assert (answer.headers["referrer-policy"], answer.headers["x-content-type-options"]) == (
            "no-referrer",
            "nosniff",
        )
        assert answer.headers["cache-control"] == "no-store"
        rival = await signed_in(others, desk, "hana")
        assert (await rival.page.request.get(url)).status == 404
        async with httpx.AsyncClient() as stranger:
            assert (await stranger.get(url)).status_code == 303
        assert PASSWORD not in await answer.text()
