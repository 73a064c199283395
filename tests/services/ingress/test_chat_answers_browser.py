"""Our answers in the widget in a real browser: there once, in order, counted until they are read, and told back."""

import asyncio
import re

from playwright.async_api import expect

from services.embedded.process import free_port
from services.settings import Settings
from tests.services.ingress import process
from tests.services.ingress.browser import Shown, chromium
from tests.services.ingress.chats import Chats, added_chat, running_chats
from tests.services.ingress.records import answer_of_an_agent, receipts
from tests.services.ingress.test_chat_answers import RECEIPTS

_HIDE = "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"
_SHOW = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"


async def _begun(shown: Shown) -> str:
    """A visitor who has asked something; returns their address."""
    await shown.write("Where is my order?")
    await shown.has(sent=["Where is my order?"])
    return f"chat:v.{await shown.name()}"


async def _states(chats: Chats, count: int) -> list[str]:
    """Of all receipts once there are so many."""
    await chats.until(f"SELECT ({RECEIPTS}) >= {count}")
    return [state for _, state, _ in await receipts(chats)]


async def test_an_answer_is_counted_until_it_is_read_and_stays(settings: Settings) -> None:
    async with running_chats(settings) as chats, chromium() as (context, console):
        shown = await Shown(await context.new_page()).opened(chats.path("?language=en"))
        address = await _begun(shown)
        await shown.page.keyboard.press("Escape")
        await answer_of_an_agent(chats, address, "On its way.")
        await expect(shown.launcher).to_have_accessible_name("Open the chat (1)")
        await expect(shown.page.locator(".box > [role=status]")).to_have_text("New messages: 1")
        assert await _states(chats, 1) == ["delivered"]
        await shown.page.reload()
        await expect(shown.launcher).to_have_accessible_name("Open the chat (1)")
        await context.set_offline(True)
        await answer_of_an_agent(chats, address, "It is there at noon.", "Anything else?")
        await context.set_offline(False)
        await expect(shown.launcher).to_have_accessible_name("Open the chat (3)")
        assert await _states(chats, 3) == ["delivered"] * 3
        await shown.launcher.click()
        await shown.answered("On its way.", "It is there at noon.", "Anything else?")
        await expect(shown.page.locator(".badge")).to_be_hidden()
        assert await _states(chats, 6) == ["delivered"] * 3 + ["read"] * 3
        await shown.write("No, thanks")
        await shown.page.reload()
        await shown.answered("On its way.", "It is there at noon.", "Anything else?")
        await shown.has(sent=["Where is my order?", "No, thanks"], waiting=[])
        texts = ["Where is my order?", "On its way.", "It is there at noon.", "Anything else?", "No, thanks"]
        await expect(shown.page.locator(".line.sent p")).to_have_text(texts)
        assert await _states(chats, 6) == ["delivered"] * 3 + ["read"] * 3
        assert console.errors == []


async def test_what_comes_to_a_hidden_page_is_read_when_the_visitor_is_back(settings: Settings) -> None:
    async with running_chats(settings) as chats, chromium("fa-IR") as (context, console):
        shown = await Shown(await context.new_page()).opened(chats.path("?language=fa"))
        address = await _begun(shown)
        await shown.page.evaluate(_HIDE)
        await answer_of_an_agent(chats, address, "سلام! سفارش شما در راه است.")
        await shown.answered("سلام! سفارش شما در راه است.")
        assert await _states(chats, 1) == ["delivered"]
        await expect(shown.page.locator(".badge")).to_have_text("۱")
        await shown.page.evaluate(_SHOW)
        await expect(shown.page.locator(".badge")).to_be_hidden()
        assert await _states(chats, 2) == ["delivered", "read"]
        await answer_of_an_agent(chats, address, "تا ظهر می‌رسد.")
        assert await _states(chats, 3) == ["delivered", "read", "read"]
        assert console.errors == []


async def test_what_was_read_is_read_in_another_browser_too(settings: Settings) -> None:
    async with running_chats(settings) as chats, chromium() as (context, console):
        shown = await Shown(await context.new_page()).opened(chats.path("?language=en"))
        address = await _begun(shown)
        await answer_of_an_agent(chats, address, "On its way.")
        assert await _states(chats, 1) == ["read"]
        # As in a browser that has nothing but the visitor's name.
        await shown.page.evaluate(
            "for (const key in localStorage) if (!key.endsWith('/visitor')) delete localStorage[key]"
        )
        await shown.page.reload()
        await shown.answered("On its way.")
        await expect(shown.launcher).to_have_accessible_name("Open the chat")
        await answer_of_an_agent(chats, address, "It is there.")
        await expect(shown.launcher).to_have_accessible_name("Open the chat (1)")
        assert await _states(chats, 2) == ["read", "delivered"]
        assert console.errors == []


async def test_an_edge_that_is_killed_before_the_push_costs_no_answer(settings: Settings) -> None:
    added, port = added_chat(settings), free_port()
    listen = f"127.0.0.1:{port}"
    chats = Chats(settings, [f"http://{listen}"], added.inbox.inbox_id, added.key or "")
    edge = await asyncio.to_thread(process.start, settings, listen)
    try:
        async with chromium() as (context, console):
            shown = await Shown(await context.new_page()).opened(chats.path("?language=en"))
            address = await _begun(shown)
            await answer_of_an_agent(chats, address, "one")
            await shown.answered("one")
            edge.kill()
            await asyncio.to_thread(edge.communicate)
            await answer_of_an_agent(chats, address, "two", "three")
            await shown.write("Hello?")
            edge = await asyncio.to_thread(process.start, settings, listen)
            await shown.answered("one", "two", "three")
            await shown.has(sent=["Where is my order?", "Hello?"], waiting=[])
            texts = ["Where is my order?", "one", "two", "three", "Hello?"]
            await expect(shown.page.locator(".line.sent p")).to_have_text(texts)
            await chats.until(f"SELECT ({RECEIPTS}) >= 3")
            # A browser tells of each connection that it could not make.
            assert [text for text in console.errors if not re.match("WebSocket connection to .* failed", text)] == []
    finally:
        edge.kill()
        await asyncio.to_thread(edge.communicate)
    told = [message for message, state, _ in await receipts(chats) if state == "read"]
    assert len(told) == len(set(told)) == 3
