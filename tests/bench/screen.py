"""One desk in a browser: when the row of a message is in the list."""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Page

from tests.services.ingress.browser import chromium

_WATCH = r"""() => {
  globalThis.shown = {};
  new MutationObserver((records) => {
    const now = performance.timeOrigin + performance.now();
    for (const { addedNodes } of records)
      for (const node of addedNodes) {
        const found = /~(\d{6})~/.exec(node.textContent);
        if (found) globalThis.shown[Number(found[1])] ??= now;
      }
  }).observe(document.getElementById("queue"), { childList: true, subtree: true });
}"""


@asynccontextmanager
async def screen(url: str, login: str, password: str) -> AsyncGenerator[Page]:
    """The desk of this person, live and watched."""
    async with chromium() as (context, _):
        page = await context.new_page()
        await page.goto(url)
        await page.locator("#login").fill(login)
        await page.locator("#password").fill(password)
        await page.locator("#password").press("Enter")
        await page.wait_for_url(re.compile(r"/desk$"))
        await page.wait_for_selector("#line.live")
        await page.evaluate(_WATCH)
        yield page


async def shown(page: Page) -> dict[int, float]:
    """When each message's row was there (`time.perf_counter`), by its number."""
    found: dict[str, float] = await page.evaluate("() => globalThis.shown")
    since = time.time() - time.perf_counter()
    return {int(number): at / 1000 - since for number, at in found.items()}
