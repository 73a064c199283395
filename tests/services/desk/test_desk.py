"""The desk in a real browser: what waits is seen at once, taken once, answered, and closed."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from playwright.async_api import Route, expect

from schemas.conversation import ConversationState
from schemas.outbound import MessageInDoubt, MessageStarted
from services.answering.answering import Draft
from services.conversations.commands import Close
from services.record.decisions import Decided
from services.settings import Settings
from tests.services.api.house import ALI, NOON, message
from tests.services.desk.house import Desk, Seen, desk_of, signed_in
from tests.services.ingress.browser import chromium

SARA = "tel:+989350000000"


async def _first(desk: Desk) -> None:
    await desk.house.say("Where is my order?", "Are you there?")
    await desk.caught_up()


async def _state(desk: Desk, state: ConversationState) -> list[str | None]:
    await desk.caught_up()
    found = (await desk.house.get("/api/v1/conversations", state=state)).json()["items"]
    return [one["taken_by"] for one in found]


async def test_what_comes_in_is_in_the_list_at_once_and_nothing_moves_under_the_keyboard(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        seen = await signed_in(context, desk, "sara")
        await expect(seen.rows).to_have_count(1)
        await expect(seen.rows.first).to_contain_text("Are you there?")
        await seen.page.keyboard.press("j")
        await expect(seen.rows.first.locator("a")).to_be_focused()
        await desk.house.hear([message("shop", "SM8", "hello", SARA, NOON + timedelta(hours=1))])
        await expect(seen.rows).to_have_count(2)
        await expect(seen.rows.last).to_contain_text("hello")
        await expect(seen.rows.first.locator("a")).to_be_focused()
        await desk.house.hear([message("shop", "SM9", "the same again", ALI, NOON + timedelta(hours=2))])
        await expect(seen.rows.first).to_contain_text("the same again")
        await expect(seen.rows.first.locator("a")).to_be_focused()
        await seen.page.keyboard.press("Enter")
        await expect(seen.said("in")).to_have_text(["Where is my order?", "Are you there?", "the same again"])
        await desk.house.hear([message("shop", "SM10", "and once more", ALI, NOON + timedelta(hours=3))])
        await expect(seen.said("in").last).to_have_text("and once more")
        await expect(seen.page.locator("#moments .moment")).to_have_count(3)
        assert console.errors == []


async def test_of_two_who_take_at_once_one_is_told_and_may_take_over(settings: Settings) -> None:
    async with (
        desk_of(settings) as desk,
        chromium() as (one, console),
        chromium("fa-IR") as (other, other_console),
    ):
        await _first(desk)
        sara, omid = await signed_in(one, desk, "sara"), await signed_in(other, desk, "omid")
        for seen in (sara, omid):
            await seen.rows.first.locator("a").click()
            await seen.page.locator("#do-take").wait_for()
            # The other one's button is not taken away in time.
            await seen.page.route("**/head?*", lambda _: None)
        await sara.page.locator("#do-take").click()
        await expect(sara.mine).to_have_count(1)
        await omid.page.locator("#do-take").click()
        await expect(omid.toast.first).to_contain_text("همکار دیگری این گفتگو را برداشته است.")
        await expect(omid.rows.first.locator(".mark.taken")).to_have_text("Sara Karimi")
        assert await _state(desk, "waiting") == [str(desk.people["sara"])]
        await omid.page.unroute_all(behavior="ignoreErrors")
        await omid.page.reload()
        await expect(omid.page.locator(".note.alert").first).to_contain_text("Sara Karimi")
        await omid.page.locator("#do-take").click()
        await expect(omid.mine).to_have_count(1)
        await expect(sara.mine).to_have_count(0)
        assert await _state(desk, "waiting") == [str(desk.people["omid"])]
        assert console.errors == []
        # A browser tells of each request that was refused.
        assert [text for text in other_console.errors if "409" not in text] == []


async def test_an_answer_is_previewed_sent_taken_back_sent_again_and_the_conversation_closed(
    settings: Settings,
) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        seen = await signed_in(context, desk, "sara")
        await seen.rows.first.locator("a").click()
        way = seen.page.locator("#way")
        await expect(way).to_contain_text("Goes by SMS to")
        await seen.answer.fill("It left our house yesterday. " * 8)
        await expect(way.locator(".counted")).to_have_attribute("data-segments", "2")
        await seen.page.locator("#send").click()
        await expect(seen.page.locator("#undo")).to_be_visible()
        await expect(seen.answer).to_have_value("")
        await expect(seen.head.locator(".state")).to_contain_text("Answered")
        await seen.page.locator("#undo-now").click()
        await expect(seen.answer).to_have_value("It left our house yesterday. " * 8)
        await expect(seen.head.locator(".state")).to_contain_text("Waiting")
        await seen.answer.fill("It comes today.")
        await seen.answer.press("Control+Enter")
        await expect(seen.head.locator(".state")).to_contain_text("Answered")
        await expect(seen.rows).to_have_count(0)
        await seen.page.locator("#do-close").click()
        await expect(seen.page.locator("#do-reopen")).to_be_visible()
        await expect(seen.page.locator("#composer")).to_be_hidden()
        assert len(await _state(desk, "closed")) == 1
        await seen.page.locator("#do-reopen").click()
        await expect(seen.page.locator("#composer")).to_be_visible()
        assert console.errors == []


async def test_who_answers_what_was_answered_meanwhile_is_told_and_keeps_the_text(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (one, console), chromium() as (other, _):
        await _first(desk)
        sara, omid = await signed_in(one, desk, "sara"), await signed_in(other, desk, "omid")
        for seen in (sara, omid):
            await seen.rows.first.locator("a").click()
            await seen.head.wait_for()
        await sara.answer.press_sequentially("I was slow")
        await expect(omid.page.locator("#presence")).to_contain_text("Sara Karimi")
        await omid.answer.fill("I was fast")
        await omid.page.locator("#send").click()
        await expect(sara.head.locator(".state")).to_contain_text("Answered")
        await sara.page.locator("#send").click()
        await expect(sara.page.locator("#composer-error")).to_contain_text("It was answered while you wrote.")
        await expect(sara.answer).to_have_value("I was slow")
        await sara.page.locator("#send").click()
        await expect(sara.answer).to_have_value("")
        assert [text for text in console.errors if "409" not in text] == []


async def test_typed_text_survives_a_reload_and_is_wiped_at_sign_out(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        seen = await signed_in(context, desk, "sara")
        await seen.rows.first.locator("a").click()
        await seen.answer.fill("half of a")
        await seen.page.reload()
        await expect(seen.answer).to_have_value("half of a")
        await seen.page.locator("#sign-out button").click()
        await seen.page.wait_for_url("**/sign-in")
        assert await seen.page.evaluate("Object.keys(localStorage).length") == 0
        assert console.errors == []


async def test_search_finds_by_reference_address_and_words_and_only_ours(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        await desk.house.hear([message("rival", "SM1", "not yours", SARA)], "rival")
        await desk.caught_up()
        item = (await desk.house.get("/api/v1/timeline", address=ALI)).json()["items"][0]
        seen = await signed_in(context, desk, "sara")
        found = seen.page.locator("#found .row")
        for asked in (item["reference"].lower(), "0912 123 4567", "123456", "you there"):
            await seen.page.keyboard.press("/")
            await seen.page.locator("#search").fill(asked)
            await expect(found).to_have_count(1)
            await expect(found).to_contain_text("Are you there?")
            await seen.page.keyboard.press("Escape")
            await expect(found).to_have_count(0)
        await seen.page.keyboard.press("/")
        await seen.page.locator("#search").fill("+989350000000 not yours")
        await expect(seen.page.locator("#found .none")).to_be_visible()
        assert console.errors == []


async def test_a_page_by_keyboard_alone(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        seen = await signed_in(context, desk, "sara")
        press = seen.page.keyboard.press
        await press("?")
        await expect(seen.page.locator("#keys")).to_be_visible()
        await press("Escape")
        await _keys(seen, "j", "Enter")
        await seen.head.wait_for()
        await press("t")
        await expect(seen.mine).to_have_count(1)
        await press("r")
        await expect(seen.answer).to_be_focused()
        await seen.page.keyboard.type("By keyboard")
        await press("Control+Enter")
        await expect(seen.answer).to_have_value("")
        await press("Escape")
        await press("e")
        await expect(seen.page.locator("#do-reopen")).to_be_visible()
        await _keys(seen, "g", "c")
        await expect(seen.page.locator("#list-closed .row a")).to_be_focused()
        await _keys(seen, "g", "w")
        await expect(seen.page.locator("#tab-waiting")).to_have_attribute("aria-pressed", "true")
        assert console.errors == []


async def test_the_keyboard_goes_to_the_list_that_was_asked_for_while_another_answer_is_awaited(
    settings: Settings,
) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        await desk.house.hear([message("shop", "SM8", "hello", SARA, NOON + timedelta(hours=1))])
        await desk.caught_up()
        seen = await signed_in(context, desk, "sara")
        await _keys(seen, "j", "Enter")
        await seen.head.wait_for()
        of, held = UUID(str(await seen.head.get_attribute("data-id"))), asyncio.Event()

        async def late(route: Route) -> None:
            await held.wait()
            await route.continue_()

        await seen.page.route("**/head?*", late)
        await desk.running.floor.answering.command(
            "shop", of, Close(desk.people["omid"], datetime.now(UTC)), command_id=uuid4()
        )
        await expect(seen.page.locator(".row.gone")).to_have_count(1)
        await _keys(seen, "g", "c")
        await expect(seen.page.locator("#list-closed .row a")).to_be_focused()
        held.set()
        await expect(seen.page.locator("#do-reopen")).to_be_visible()
        await expect(seen.page.locator("#list-closed .row a")).to_be_focused()
        assert console.errors == []


async def _keys(seen: Seen, *keys: str) -> None:
    for key in keys:
        await seen.page.keyboard.press(key)


async def test_a_doubt_is_settled_by_an_agent(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        await _first(desk)
        of = UUID((await desk.house.get("/api/v1/conversations")).json()["items"][0]["conversation_id"])
        floor, agent_id = desk.running.floor, desk.people["sara"]
        asked = await floor.answering.ask(
            "shop", of, Draft("On its way."), command_id=uuid4(), now=datetime.now(UTC), agent_id=agent_id
        )
        way, message_id = asked.resolution, asked.message_id
        facts = (
            MessageStarted(message_id=message_id, attempt=1, channel=way.channel, inbox_id=way.inbox_id),
            MessageInDoubt(message_id=message_id, attempt=1, why="No answer came from the provider."),
        )
        decided = [Decided(message_id, version, "shop", fact) for version, fact in enumerate(facts, 3)]
        await asyncio.to_thread(floor.decisions.save, decided)
        await desk.caught_up()
        seen = await signed_in(context, desk, "sara", f"/desk/c/{of}")
        sent = seen.page.locator("#thread .entry.out")
        await expect(sent).to_contain_text("No answer came from the provider.")
        await sent.get_by_role("button", name="It arrived").click()
        await expect(sent.locator(".step")).to_have_text("Delivered")
        await expect(sent.get_by_role("button")).to_have_count(0)
        assert console.errors == []
