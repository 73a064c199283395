"""Debian's Chromium, driven by Playwright; a test that asks for it fails on whatever its console tells as an error."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright, expect

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000


class Console:
    """What the pages of a context complained about."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


@asynccontextmanager
async def launched() -> AsyncGenerator[Browser]:
    """A browser, in which nobody has a page yet."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("NOT RUN: chromium is not installed (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


async def somebody(browser: Browser, language: str) -> tuple[BrowserContext, Console]:
    """Who shares nothing with others in this browser."""
    context, console = await browser.new_context(locale=language), Console()
    context.set_default_timeout(PATIENCE_MS)
    context.on("console", console.note)
    context.on("weberror", lambda error: console.errors.append(str(error.error)))
    return context, console


@asynccontextmanager
async def chromium(language: str = "en") -> AsyncGenerator[tuple[BrowserContext, Console]]:
    """A browser of nobody yet."""
    async with launched() as browser:
        yield await somebody(browser, language)


class Shown:
    """The widget on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.locator(".launcher")
        self.panel = page.get_by_role("dialog")
        self.text = page.get_by_role("textbox")
        self.state = page.locator(".state")

    def lines(self, state: str) -> Locator:
        return self.page.locator(f".line.visitor.{state} p")

    async def opened(self, url: str) -> "Shown":
        await self.page.goto(url)
        await self.launcher.wait_for()
        if not await self.panel.is_visible():
            await self.launcher.click()
            await expect(self.text).to_be_focused()
        return self

    async def write(self, text: str) -> None:
        await self.text.fill(text)
        await self.text.press("Enter")
        await expect(self.text).to_have_value("")

    async def name(self) -> str:
        """The visitor's id, which the script keeps."""
        kept: str = await self.page.evaluate(
            "JSON.parse(Object.entries(localStorage).find(([key]) => key.endsWith('/visitor'))[1])"
        )
        return kept

    async def answered(self, *texts: str) -> None:
        """Exactly these lines of ours, after the greeting."""
        lines = self.page.locator(".line.agent.sent p")
        await expect(lines).to_have_text(list(texts), timeout=PATIENCE_MS)

    async def has(self, **texts: list[str]) -> None:
        """Exactly these lines in these states."""
        for state, wanted in texts.items():
            await expect(self.lines(state)).to_have_text(wanted, timeout=PATIENCE_MS)
