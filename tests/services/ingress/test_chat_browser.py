"""The widget in a real browser, on a real edge: whatever happens between them, each message is on the record once."""

import asyncio
import re
import subprocess

from playwright.async_api import expect

from services.embedded.process import free_port
from services.settings import Settings
from tests.services.ingress import process
from tests.services.ingress.browser import Shown, chromium
from tests.services.ingress.chats import Chats, added_chat, running_chats, visit
from tests.services.ingress.gate import gate_before
from tests.services.ingress.records import answer_of_an_agent


async def _thread(chats: Chats, visitor: str, count: int) -> list[str]:
    async with visit(chats, visitor) as reader:
        return [(await reader.hears())["text"] for _ in range(count)]


async def test_what_is_typed_survives_lost_networks_reloads_and_an_absent_record(settings: Settings) -> None:
    async with (
        gate_before(settings.record_url) as (gate, url),
        running_chats(settings, url=url) as chats,
        chromium() as (context, console),
    ):
        shown = await Shown(await context.new_page()).opened(chats.path("?language=en"))
        await shown.write("one")
        await shown.has(sent=["one"], waiting=[])
        await context.set_offline(True)
        await shown.write("two")
        await shown.has(sent=["one"], waiting=["two"])
        await expect(shown.state).to_contain_text("No connection")
        await context.set_offline(False)
        await shown.has(sent=["one", "two"], waiting=[])
        await expect(shown.state).to_be_empty()
        gate.cut()
        await shown.write("three")
        await shown.write("four")
        await shown.text.fill("half of a")
        await shown.page.reload()
        await shown.has(sent=["one", "two"], waiting=["three", "four"])
        await expect(shown.panel).to_be_visible()
        await expect(shown.text).to_have_value("half of a")
        gate.mend()
        await shown.has(sent=["one", "two", "three", "four"], waiting=[])
        await shown.page.reload()
        await shown.has(sent=["one", "two", "three", "four"], waiting=[])
        assert await _thread(chats, await shown.name(), 4) == ["one", "two", "three", "four"]
        assert chats.count() == 4
        assert console.errors == []


async def test_two_tabs_are_one_visitor(settings: Settings) -> None:
    async with running_chats(settings) as chats, chromium() as (context, console):
        first = await Shown(await context.new_page()).opened(chats.path("?language=en"))
        await first.write("from the first")
        await first.has(sent=["from the first"])
        second = await Shown(await context.new_page()).opened(chats.path("?language=en"))
        await second.has(sent=["from the first"])
        await second.write("from the second")
        for tab in (first, second):
            await tab.has(sent=["from the first", "from the second"], waiting=[])
        for tab in (first, second):
            await tab.page.keyboard.press("Escape")
            await expect(tab.panel).to_be_hidden()
            await expect(tab.launcher).to_be_focused()
        await answer_of_an_agent(chats, f"chat:v.{await first.name()}", "سلام! در راه است.")
        for tab in (first, second):
            await expect(tab.launcher).to_have_accessible_name("Open the chat (1)")
        await first.launcher.click()
        await expect(second.launcher).to_have_accessible_name("Open the chat")
        await second.launcher.click()
        for tab in (first, second):
            await tab.answered("سلام! در راه است.")
        assert chats.count() == 2
        assert console.errors == []


async def test_a_killed_edge_costs_nothing(settings: Settings) -> None:
    added, port = added_chat(settings), free_port()
    listen = f"127.0.0.1:{port}"
    chats = Chats(settings, [f"http://{listen}"], added.inbox.inbox_id, added.key or "")
    edge = await asyncio.to_thread(process.start, settings, listen)
    try:
        async with chromium("fa-IR") as (context, console):
            shown = await Shown(await context.new_page()).opened(chats.path("?language=fa"))
            await shown.write("یک")
            await shown.has(sent=["یک"])
            edge = await _killed(edge)
            await shown.write("دو")
            await shown.write("سه")
            await shown.has(sent=["یک"], waiting=["دو", "سه"])
            edge = await asyncio.to_thread(process.start, settings, listen)
            await shown.has(sent=["یک", "دو", "سه"], waiting=[])
            edge = await _killed(edge)
            await shown.write("چهار")
            await shown.has(waiting=["چهار"])
            name = await shown.name()
            await shown.page.close()
            edge = await asyncio.to_thread(process.start, settings, listen)
            shown = Shown(await context.new_page())
            await shown.page.goto(chats.path("?language=fa"))
            await shown.has(sent=["یک", "دو", "سه", "چهار"], waiting=[])
            assert await _thread(chats, name, 4) == ["یک", "دو", "سه", "چهار"]
            # A browser tells of each connection that it could not make.
            assert [text for text in console.errors if not re.match("WebSocket connection to .* failed", text)] == []
    finally:
        await _killed(edge)
    assert chats.count() == 4


async def _killed(edge: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    edge.kill()
    await asyncio.to_thread(edge.communicate)
    return edge
