"""Files that go with an answer: chosen, shown, sent, taken back, and refused in words."""

import asyncio
from typing import Any

from playwright.async_api import BrowserContext, FilePayload, expect

from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from tests.services.desk.axe import findings
from tests.services.desk.house import Desk, Seen, desk_of, signed_in
from tests.services.desk.letters import OURS, letter
from tests.services.ingress.browser import chromium

MAIL = NewInbox("email/smtp", "Mail", OURS, {"smtp_host": "mail.acme.example"}, {})
PDF: FilePayload = {"name": "invoice فاکتور.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 " + b"x" * 3000}
NOTE: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": "سلام".encode()}
LARGE: FilePayload = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"x" * (10 * 1024 * 1024 + 1)}


def _add_inbox(settings: Settings) -> Any:
    with Tenancy(settings) as tenancy:
        return tenancy.add_inbox("shop", MAIL).inbox.inbox_id


async def _mailed(desk: Desk, context: BrowserContext, login: str = "sara") -> Seen:
    """A mail that waits, open."""
    desk.house.inboxes["shop"] = await asyncio.to_thread(_add_inbox, desk.house.settings)
    await desk.house.hear([letter("A", None, "Where is my invoice?", subject="Invoice")])
    await desk.caught_up()
    seen = await signed_in(context, desk, login)
    await seen.rows.first.locator("a").click()
    await expect(seen.page.locator("#way")).not_to_be_empty()
    return seen


async def test_files_are_sent_taken_back_and_sent_again(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        seen = await _mailed(desk, context)
        page, chips = seen.page, seen.page.locator("#files li")
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Attach").click()
        await (await choosing.value).set_files([PDF, NOTE])
        await expect(chips).to_have_count(2)
        await expect(chips.first).to_contain_text("3 kB")
        await expect(page.locator("#way")).to_contain_text("Goes by E-mail")
        assert await findings(page) == []
        await seen.answer.fill("Here it is.")
        await page.locator("#send").click()
        files = page.locator(".entry.out .files a")
        await expect(files).to_have_count(2)
        await expect(files.first).to_contain_text("invoice فاکتور.pdf")
        await expect(chips).to_have_count(0)
        async with page.expect_download() as loading:
            await files.first.click()
        saved = await loading.value
        assert saved.suggested_filename == PDF["name"]
        assert (await saved.path()).read_bytes() == PDF["buffer"]
        await page.locator("#undo-now").click()
        await expect(seen.answer).to_have_value("Here it is.")
        await expect(chips).to_have_count(2)
        await page.get_by_role("button", name="Remove invoice").click()
        await expect(chips).to_have_count(1)
        await page.locator("#send").click()
        await expect(page.locator(".entry.out").last.locator(".files a")).to_have_text(["note.txt 8 B"])
        messages = [row for row in await _sent(desk) if row["delivery"]["state"] == "queued"]
        assert [[one["media_type"] for one in row["attachments"]] for row in messages] == [["text/plain"]]
        assert console.errors == []


async def _sent(desk: Desk) -> list[dict[str, Any]]:
    await desk.caught_up()
    found = await desk.house.get("/api/v1/timeline", address="mailto:mina@shiraz.example")
    return [row for row in found.json()["items"] if row["direction"] == "out"]


async def test_a_channel_without_files_says_so_before_and_when_it_is_sent(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium("fa-IR") as (context, console):
        await desk.house.say("Where is my order?")
        await desk.caught_up()
        seen = await signed_in(context, desk, "omid")
        await seen.rows.first.locator("a").click()
        await expect(seen.page.locator("#way")).to_contain_text("مشتری با پیامک پرسید.")
        await seen.page.locator("#pick-files").set_input_files([NOTE])
        await expect(seen.page.locator("#way")).to_contain_text("با پیامک نمی‌توان پیوست فرستاد.")
        await seen.answer.fill("سلام")
        await seen.page.locator("#send").click()
        await expect(seen.page.locator("#composer-error")).to_have_text("راهی برای پاسخ به این مشتری نیست.")
        await expect(seen.page.locator("#files li")).to_have_count(1)
        await seen.page.get_by_role("button", name="برداشتن note.txt").click()
        await seen.page.locator("#send").click()
        await expect(seen.said("out")).to_have_text(["سلام"])
        assert [text for text in console.errors if "409" not in text] == []


async def test_what_is_too_much_is_said_here_and_at_the_server(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        seen = await _mailed(desk, context)
        page, note = seen.page, seen.page.locator("#files-note")
        # Larger ones than Playwright would hand over itself.
        await page.evaluate(
            """() => { const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(10 * 1024 * 1024 + 1)], "film.mp4"));
            document.getElementById("composer").dispatchEvent(
                new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true })); }"""
        )
        await expect(note).to_have_text("Too much: all files of an answer may have 10 MB together.")
        await page.locator("#pick-files").set_input_files([{**NOTE, "name": f"{n}.txt"} for n in range(21)])
        await expect(note).to_have_text("Too much: an answer takes up to 20 files.")
        await expect(page.locator("#files li")).to_have_count(0)
        await page.locator("#pick-files").set_input_files([NOTE])
        await expect(note).to_be_hidden()
        assert console.errors == []
        url = f"{page.url.replace('/desk/c/', '/desk/conversations/')}/messages"
        token = await page.locator("body").get_attribute("data-csrf")
        form: dict[str, Any] = {"text": "hi", "command": "3f1c1f1e-0000-4000-8000-000000000001", "attachments": LARGE}
        answer = await page.request.post(url, multipart=form, headers={"X-CSRF-Token": token or ""})
        said = "The files have 10485761 bytes together; a message takes up to 10485760."
        assert (answer.status, await answer.text()) == (409, said)
        larger: dict[str, Any] = {**form, "attachments": {**LARGE, "buffer": LARGE["buffer"] * 2}}
        assert (await page.request.post(url, multipart=larger, headers={"X-CSRF-Token": token or ""})).status == 413
        assert (await page.request.post(url, multipart={**form, "attachments": NOTE})).status == 403
        assert await _sent(desk) == []


async def test_a_page_that_is_loaded_again_has_the_text_and_asks_for_the_files(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium() as (context, console):
        seen = await _mailed(desk, context)
        await seen.answer.fill("Here it is.")
        await seen.page.locator("#pick-files").set_input_files([PDF])
        await expect(seen.page.locator("#files li")).to_have_count(1)
        await seen.page.reload()
        await expect(seen.answer).to_have_value("Here it is.")
        note = seen.page.locator("#files-note")
        await expect(note).to_have_text("This page was loaded again: attach invoice فاکتور.pdf once more.")
        await seen.answer.fill("Here it is, at last.")
        await expect(note).to_be_visible()
        await seen.page.locator("#pick-files").set_input_files([PDF])
        await expect(note).to_be_hidden()
        await seen.page.locator("#send").click()
        await expect(seen.page.locator(".entry.out .files a")).to_have_count(1)
        await seen.page.reload()
        await expect(seen.page.locator(".entry.out .files a")).to_have_count(1)
        await expect(note).to_be_hidden()
        # A file may say it all.
        await seen.page.locator("#pick-files").set_input_files([NOTE])
        await seen.page.locator("#send").click()
        await expect(seen.page.locator(".entry.out .files a")).to_have_count(2)
        assert console.errors == []
