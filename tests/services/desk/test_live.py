"""What is told as it happens: nothing is lost by a restart, a gap or a slow reader; tabs share a stream."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import orjson
import pytest
from playwright.async_api import expect

from services.desk import hub as desk_hub
from services.desk import stream as desk_stream
from services.desk.hub import MOST_WAITING, Hub, Stream
from services.desk.live_rows import LiveRows
from services.desk.users import disable_user
from services.settings import Settings
from tests.services.api.house import NOON, message
from tests.services.desk.house import PASSWORD, Desk, desk_of, signed_in
from tests.services.ingress.browser import chromium

SARA = "tel:+989350000000"


async def test_a_restart_costs_neither_typed_text_nor_news(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.say("one")
        await desk.caught_up()
        seen = await signed_in(context, desk, "sara")
        await seen.rows.first.locator("a").click()
        await seen.answer.fill("not sent yet")
        await desk.running.end()
        await expect(seen.page.locator("#line")).to_have_class("line lost")
        await desk.house.say("two", start=7)
        await desk.caught_up()
        await desk.again()
        await seen.is_live()
        await expect(seen.said("in")).to_have_text(["one", "two"])
        await expect(seen.rows.first).to_contain_text("two")
        await expect(seen.answer).to_have_value("not sent yet")
        # A browser tells of what it could not reach.
        assert [text for text in console.errors if "Failed to load resource" not in text] == []


async def test_a_customer_whose_card_was_cut_off_has_it_when_the_line_is_back_and_never_anothers(
    settings: Settings,
) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.say("one")
        await desk.house.hear([message("shop", "SM8", "two", SARA, NOON + timedelta(hours=1))])
        await desk.caught_up()
        seen = await signed_in(context, desk, "sara")
        card = seen.page.locator("#customer .who")
        await seen.rows.filter(has_text="one").locator("a").click()
        await expect(card).to_contain_text("+98912")
        await seen.page.route("**/customer", lambda route: route.abort(), times=1)
        await seen.rows.filter(has_text="two").locator("a").click()
        await expect(seen.said("in")).to_have_text("two")
        await expect(seen.toast.first).to_be_visible()
        await expect(card).to_have_count(0)
        await desk.running.end()
        await expect(seen.page.locator("#line")).to_have_class("line lost")
        await desk.again()
        await seen.is_live()
        await expect(card).to_contain_text("+98935")
        # A browser and htmx tell of what they could not reach.
        assert [text for text in console.errors if not text.startswith(("Failed to load resource", "htmx:"))] == []


async def test_tabs_share_one_stream_and_all_hear(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await desk.house.say("one")
        await desk.caught_up()
        first = await signed_in(context, desk, "sara")
        tabs = [first]
        for _ in range(7):
            page = await context.new_page()
            await page.goto(desk.url)
            tabs.append(await type(first)(page).is_live())
        await desk.house.say("two", start=7)
        for tab in tabs:
            await expect(tab.rows.first).to_contain_text("two")
        assert sum(desk.running.floor.streams.values()) == 1
        assert console.errors == []


@asynccontextmanager
async def _stream(desk: Desk, after: int | None) -> AsyncGenerator[AsyncGenerator[dict[str, object]]]:
    async with httpx.AsyncClient(base_url=desk.url.removesuffix("/desk"), timeout=30) as client:
        page = await client.get("/desk/sign-in")
        token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        await client.post("/desk/sign-in", data={"login": "sara", "password": PASSWORD, "csrf": token})
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with client.stream("GET", "/desk/stream", headers=headers) as answer:
            assert answer.headers["content-type"] == "text/event-stream"

            async def frames() -> AsyncGenerator[dict[str, object]]:
                told: dict[str, object] = {}
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "data":
                        told |= orjson.loads(value)
                    elif name == "id":
                        told["event_id"] = int(value)
                    elif not line and "kind" in told:
                        yield told
                        told = {}

            yield frames()


async def test_what_was_missed_is_told_again_and_a_gap_that_does_not_fit_is_said(settings: Settings) -> None:
    async with desk_of(settings) as desk, _stream(desk, None) as first:
        await asyncio.sleep(0.1)
        await desk.house.say("one")
        heard = [await anext(first)]
        while heard[-1]["kind"] != "row":
            heard.append(await anext(first))
        last = max(int(str(one["position"])) for one in heard)
        await desk.house.say("two", start=1)
        await desk.house.hear([], "rival", reason="nothing")
        async with _stream(desk, last) as second:
            again = [await anext(second)]
            while again[-1]["kind"] != "row":
                again.append(await anext(second))
            assert all(int(str(one["position"])) > last for one in again)
            assert "two" in str(again[-1]["html"])
        async with _stream(desk, 0) as late:
            assert (await anext(late))["kind"] == "resync"


async def test_a_slow_reader_is_cut_and_costs_no_memory() -> None:
    stream = Stream("shop", "en")
    for number in range(MOST_WAITING):
        stream.push(b"%d" % number)
        assert not stream.is_cut
    stream.push(b"one too many")
    assert stream.is_cut
    assert len(stream.waiting) == MOST_WAITING


async def test_who_may_listen_no_more_is_sent_off_where_it_is_never_quiet(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_stream, "HEARTBEAT_SECONDS", 0.5)
    async with desk_of(settings) as desk, _stream(desk, None) as frames:
        hub = desk.running.floor.hub

        async def chatter() -> None:
            while True:
                hub.tell("shop", lambda _: {"kind": "presence"})
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(chatter())
        assert (await anext(frames))["kind"] in {"resync", "presence"}
        disable_user(settings.record_url, "shop", "sara")
        async with asyncio.timeout(20):
            async for _ in frames:
                pass
        talking.cancel()


async def test_what_the_read_models_do_not_have_for_long_is_told_as_late(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_hub, "_LATE_SECONDS", 0.1)

    async def nothing() -> int:
        return 0

    async with desk_of(settings) as desk:
        floor = desk.running.floor
        hub = Hub(floor.reader, nothing, LiveRows(floor.rows))
        running = asyncio.create_task(hub.run())
        with hub.joined("shop", "en", 0) as (stream, _):
            await asyncio.sleep(0.2)
            await desk.house.say("one")
            async with asyncio.timeout(20):
                while b'"late"' not in await stream.take(5):
                    pass
        running.cancel()
