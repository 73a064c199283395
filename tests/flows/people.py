"""Agents at the desk of a whole installation, and a customer at the widget, each in a browser context of their own."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import httpx
from playwright.async_api import Browser, Locator, Page, expect

from services.demo.twilio import ACCOUNT, Twilio
from tests.flows.doors.opened import AUTH_TOKEN, NUMBER, TENANT
from tests.flows.doors.signed import post_signed
from tests.flows.installation import Installation
from tests.services.desk.house import Seen
from tests.services.ingress.browser import PATIENCE_MS, Shown, somebody

_TOKEN: Final = "TOKEN_AT_TWILIO"
ENVIRONMENT: Final = {_TOKEN: AUTH_TOKEN, "TAMAS_LMTP_LISTEN": "127.0.0.1:0", "TAMAS_DESK_LISTEN": "127.0.0.1:0"}
LANGUAGES: Final = {"sara": "en", "omid": "fa"}
_NAMES: Final = {"sara": "Sara Karimi", "omid": "امید رضایی"}
# Where the letters are on a Persian keyboard (ISIRI 9147).
_PERSIAN: Final = {"j": "ت", "r": "ق", "t": "ف"}
_FOCUSED: Final = "document.activeElement.textContent"


@dataclass(frozen=True)
class Place:
    """An installation, Twilio's stand-in, a browser; passwords by login; the doors of the chat and of the number."""

    up: Installation
    twilio: Twilio
    browser: Browser
    passwords: dict[str, str]
    chat: str
    sms: str

    async def text(self, number: str, text: str) -> None:
        """Somebody writes an SMS, and Twilio tells of it."""
        told = {"MessageSid": f"SM{uuid4().hex}", "From": number, "To": NUMBER, "NumMedia": "0", "Body": text}
        status, _ = await asyncio.to_thread(self._post, list(told.items()))
        assert status == httpx.codes.OK

    def _post(self, params: list[tuple[str, str]]) -> tuple[int, bool]:
        with httpx.Client(timeout=20, trust_env=False) as client:
            return post_signed(client, self.sms, params)

    @asynccontextmanager
    async def agent(self, login: str, *named: str) -> AsyncGenerator[Seen]:
        """Signed in by keyboard; their console ends with no errors but those that are `named`."""
        context, console = await somebody(self.browser, "fa-IR" if LANGUAGES[login] == "fa" else "en")
        page = await context.new_page()
        await page.goto(self.up.endpoints["desk"])
        await expect(page.locator("#login")).to_be_focused()
        await page.keyboard.type(login)
        await page.keyboard.press("Tab")
        await page.keyboard.type(self.passwords[login])
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/desk")
        yield await Seen(page).is_live()
        await context.close()
        strange = [text for text in console.errors if not any(re.search(name, text) for name in named)]
        assert not strange, strange

    @asynccontextmanager
    async def customer(self) -> AsyncGenerator[Shown]:
        """At the widget, on the page that the hub itself has for it."""
        context, console = await somebody(self.browser, "en")
        yield await Shown(await context.new_page()).opened(f"{self.chat}?language=en")
        await context.close()
        assert not console.errors, console.errors


async def furnished(up: Installation, twilio: Twilio, browser: Browser) -> Place:
    """As an operator does it: a tenant, a chat, a number, and two agents."""
    expect.set_options(timeout=PATIENCE_MS)
    await commanded(up, "tenant", "add", TENANT, "--name", "Acme", "--language", "en")
    at_twilio = ("--set", f"account_sid={ACCOUNT}", "--set", f"api_base={twilio.base}", "--address", NUMBER)
    token = ("--secret", f"auth_token=env:{_TOKEN}")
    chat, sms, *passwords = await asyncio.gather(
        commanded(up, "inbox", "add", "chat/widget", "Shop site", "--json"),
        commanded(up, "inbox", "add", "sms/twilio", "Line", *at_twilio, *token, "--json"),
        *(
            commanded(up, "user", "add", login, "--name", _NAMES[login], "--language", language)
            for login, language in LANGUAGES.items()
        ),
    )
    by_login = dict(zip(LANGUAGES, (one.strip() for one in passwords), strict=True))
    return Place(up, twilio, browser, by_login, json.loads(chat)["url"], json.loads(sms)["url"])


async def commanded(up: Installation, *words: str) -> str:
    """What `tamas` with these words prints."""
    done = await asyncio.to_thread(up.run, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


class PersianKeys:
    """Keys as a Persian keyboard has them: what is written on them is no Latin letter."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def press(self, latin: str) -> None:
        """The key that has this letter on a Latin keyboard."""
        written = _PERSIAN[latin]
        key = {"key": written, "code": f"Key{latin.upper()}", "windowsVirtualKeyCode": ord(latin.upper())}
        session = await self._page.context.new_cdp_session(self._page)
        await session.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": written, **key})
        await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        await session.detach()

    async def go_to(self, text: str) -> None:
        """Down the list until the row with this text has the keyboard."""
        await self.press("j")
        while text not in str(await self._page.evaluate(_FOCUSED)):
            await self.press("j")


def row(seen: Seen, text: str) -> Locator:
    """Of whoever wrote this and waits."""
    return seen.rows.filter(has_text=text).locator("a")


def step(seen: Seen) -> Locator:
    """What became of our answer."""
    return seen.page.locator("#thread .entry.out .step")
