"""The widget on a site of somebody else's: another origin, a strict policy, styles that would break it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import expect

from services.settings import Settings
from tests.services.ingress.browser import Shown, chromium
from tests.services.ingress.chats import proof_of, running_chats, visit

HOSTILE = """
    html { font-size: 62.5%; direction: rtl }
    * { all: unset; color: red !important; font-size: 40px !important }
    tamas-chat { opacity: 0; pointer-events: none }
    button, textarea, p, section { display: none !important }"""


@asynccontextmanager
async def site(hub: str, **pages: str) -> AsyncGenerator[str]:
    """Pages with these lines in them, by name, served from an origin of its own."""
    policy = f"default-src 'none'; style-src 'self'; script-src {hub}; connect-src {hub.replace('http', 'ws', 1)}"
    top = "<!doctype html><html lang=en><title>Shop</title><link rel=stylesheet href=/site.css><h1>Shop</h1>"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode().strip("/")
        body, kind = (HOSTILE, "css") if asked == "site.css" else (top + pages[asked], "html")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/{kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Security-Policy: {policy}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


async def test_who_signs_in_and_out_on_a_strict_and_hostile_site(settings: Settings) -> None:
    async with running_chats(settings) as chats, chromium() as (context, console):
        hub, src = chats.https[0], chats.path("/widget.js")
        words = f'data-visitor="sara@example.com" data-proof="{proof_of("sara@example.com")}" data-title="Ask us"'
        signed_in, signed_out = f'<script async src="{src}" {words}></script>', f'<script async src="{src}"></script>'
        async with site(hub, account=signed_in, home=signed_out) as url:
            shown = await Shown(await context.new_page()).opened(f"{url}account")
            await expect(shown.panel).to_have_accessible_name("Ask us")
            await expect(shown.launcher).to_have_css("color", "rgb(255, 255, 255)")
            await expect(shown.text).to_have_css("font-size", "16px")
            await shown.write("from my account")
            await shown.has(sent=["from my account"])
            await shown.opened(f"{url}home")
            await shown.has(sent=[], waiting=[])
            kept: str = await shown.page.evaluate("JSON.stringify(localStorage)")
            assert "from my account" not in kept
            assert "sara" not in kept
            await shown.write("who am I?")
            await shown.has(sent=["who am I?"])
            await shown.page.goto(f"{url}account")
            await shown.has(sent=["from my account"])
        async with visit(chats, "sara@example.com", proof_of("sara@example.com")) as elsewhere:
            assert (await elsewhere.hears())["text"] == "from my account"
            assert await elsewhere.is_told_nothing()
        assert console.errors == []
    assert chats.count() == chats.count("SELECT count(DISTINCT subject) FROM record.facts") == 2
