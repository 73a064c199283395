"""Through everything, in a real Chromium: customers write, agents see it and answer, and see what became of it."""

import asyncio
import email
import email.policy
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from services.demo.twilio import ACCOUNT, Made, Twilio, running
from tests.flows.doors.opened import AUTH_TOKEN, MAILBOX
from tests.flows.installation import Installation, eventually
from tests.flows.people import ENVIRONMENT, PersianKeys, Place, commanded, furnished, row, step
from tests.servers import _reachable
from tests.services.ingress.browser import launched
from tests.services.ingress.imap import dovecot
from tests.services.ingress.imap.dovecot import Dovecot
from tests.services.ingress.mail.postfix import Postfix, relaying
from tests.services.ingress.mail.seen import letter

SARA = "sara@example.com"
PATIENCE_SECONDS = 90.0
TAKEN = {
    "sara": "Another agent has taken this conversation.",
    "omid": "همکار دیگری این گفتگو را برداشته است.",
}


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    """One installation for all of them."""
    async with launched() as browser, running(Twilio(AUTH_TOKEN, frozenset({(ACCOUNT, AUTH_TOKEN)}))) as twilio:
        up = await asyncio.to_thread(Installation, _reachable(tmp_path_factory, "desk"), ENVIRONMENT)
        try:
            yield await furnished(up, twilio, browser)
        finally:
            await asyncio.to_thread(up.stop)


@dataclass(frozen=True)
class Mailbox:
    """Of a customer: a postfix brings her mail and takes it, a dovecot shows it."""

    postfix: Postfix
    dovecot: Dovecot

    def mails(self) -> dict[int, EmailMessage]:
        """By number."""
        with self.dovecot.client("INBOX") as client:
            found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
            return {number: _read(one[b"BODY[]"]) for number, one in found.items()}

    def threads(self) -> set[frozenset[str]]:
        """Message-IDs, as the server puts them together."""
        ids = {number: str(mail["Message-ID"]) for number, mail in self.mails().items()}
        with self.dovecot.client("INBOX") as client:
            return {frozenset(ids[number] for number in _flat(thread)) for thread in client.thread("REFERENCES")}


@contextmanager
def _mailbox(lmtp_port: int) -> Generator[Mailbox]:
    with relaying(lmtp_port) as postfix, dovecot.running(more=f"mail_location = maildir:{postfix.folder}/mail") as imap:
        yield Mailbox(postfix, imap)


def _read(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def _flat(tree: Any) -> list[int]:
    return [number for part in tree for number in (_flat(part) if isinstance(part, tuple) else [part])]


async def _until(told: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(eventually, told, what, PATIENCE_SECONDS)


async def _taken(twilio: Twilio, number: str) -> Made:
    """What was handed to Twilio for this number: one message."""
    await _until(lambda: twilio.taken(number), f"something is sent to {number}")
    (made,) = [one for one in twilio.made if one["To"] == number]
    return made


async def _a_chat(place: Place) -> None:
    async with place.agent("sara") as sara, place.customer() as shown:
        await shown.write("Do you ship to Norway?")
        await row(sara, "Do you ship to Norway?").click()
        await expect(sara.said("in")).to_have_text("Do you ship to Norway?")
        await shown.page.keyboard.press("Escape")
        await sara.answer.press_sequentially("We do.")
        await sara.page.locator("#send").click()
        await expect(sara.head.locator(".state")).to_contain_text("Answered")
        await expect(step(sara)).to_have_text("Delivered")
        await expect(shown.launcher).to_have_accessible_name("Open the chat (1)")
        await shown.launcher.click()
        await shown.answered("We do.")
        await expect(step(sara)).to_have_text("Read")


async def _a_text_message(place: Place) -> None:
    """The agent has no mouse, and a Persian keyboard."""
    number, asked, text = "+989121110001", "بستهٔ من کجاست؟", "سلام! بستهٔ شما فردا می‌رسد."
    async with place.agent("omid") as omid:
        await expect(omid.page.locator("html")).to_have_attribute("dir", "rtl")
        keys = PersianKeys(omid.page)
        await place.text(number, asked)
        await expect(row(omid, asked)).to_be_visible()
        await keys.go_to(asked)
        await omid.page.keyboard.press("Enter")
        await expect(omid.said("in")).to_have_text(asked)
        await keys.press("t")
        await expect(omid.mine.filter(has_text=asked)).to_have_count(1)
        await keys.press("r")
        await expect(omid.answer).to_be_focused()
        await omid.page.keyboard.type(text)
        await expect(omid.page.locator("#way")).to_contain_text("با پیامک می‌رود به")
        await omid.page.keyboard.press("Control+Enter")
        await expect(omid.answer).to_have_value("")
        made = await _taken(place.twilio, number)
        assert made["Body"] == text
        await expect(step(omid)).to_have_text("فرستاده شد")
        assert await place.twilio.report(made.sid, "sent", "delivered") == [200, 200]
        await expect(step(omid)).to_have_text("رسید")
        assert place.twilio.taken(number) == 1


async def test_a_chat_and_a_text_message_are_answered_and_told_back(place: Place) -> None:
    async with asyncio.TaskGroup() as both:
        both.create_task(_a_chat(place))
        both.create_task(_a_text_message(place))


async def test_a_mail_is_answered_in_its_thread_and_goes_on(place: Place) -> None:
    with _mailbox(int(place.up.endpoints["lmtp"].rpartition(":")[2])) as mailbox:
        out = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.postfix.port, "smtp_security": "none"}
        given = [word for name, value in out.items() for word in ("--set", f"{name}={value}")]
        await commanded(place.up, "inbox", "add", "email/smtp", "Help", "--address", MAILBOX, *given)
        async with place.agent("sara") as sara:
            await asyncio.to_thread(mailbox.postfix.send, letter(1, "Where is my parcel?"), MAILBOX, SARA)
            await asyncio.to_thread(mailbox.postfix.send, letter(2, "Another matter"), SARA)
            await row(sara, "Where is my parcel?").click()
            await expect(sara.page.locator("#way")).to_contain_text("Goes by E-mail to")
            await sara.answer.press_sequentially("It comes on Monday.")
            await sara.answer.press("Control+Enter")
            await expect(step(sara)).to_have_text("Sent")
            await _until(lambda: len(mailbox.mails()) == 3, "the answer is in the mailbox")
            (answer,) = [one for one in mailbox.mails().values() if MAILBOX in one["From"]]
            assert (answer["To"], answer["In-Reply-To"], answer["References"]) == (SARA, *["<1@example.com>"] * 2)
            assert answer["Subject"] == "Re: order 1"
            assert "It comes on Monday." in str(answer.get_body(("plain",)))
            ours, other = str(answer["Message-ID"]), frozenset({"<2@example.com>"})
            assert mailbox.threads() == {frozenset({"<1@example.com>", ours}), other}
            thanks = letter(3, "Thank you!").replace(b"MIME-", f"In-Reply-To: {ours}\r\nMIME-".encode())
            await asyncio.to_thread(mailbox.postfix.send, thanks, MAILBOX, SARA)
            await expect(sara.said("in").last).to_contain_text("Thank you!")
            await expect(sara.said("in")).to_have_count(2)
            await expect(sara.head.locator(".state")).to_contain_text("Waiting")
            await _until(lambda: len(mailbox.mails()) == 4, "her answer is in her mailbox too")
            assert mailbox.threads() == {frozenset({"<1@example.com>", ours, "<3@example.com>"}), other}


async def test_of_two_who_take_one_conversation_at_once_one_reads_a_sentence(place: Place) -> None:
    meeting = asyncio.Barrier(2)

    async def together(route: Route) -> None:
        await meeting.wait()
        await route.continue_()

    async def takes(page: Page) -> int:
        await page.route("**/take", together)
        async with page.expect_response("**/take") as answer:
            await page.locator("#do-take").click()
        return (await answer.value).status

    refused = "409"
    async with place.agent("sara", refused) as sara, place.agent("omid", refused) as omid:
        await place.text("+989121110002", "Who is first?")
        seen = {"sara": sara, "omid": omid}
        for one in seen.values():
            await row(one, "Who is first?").click()
            await one.page.locator("#do-take").wait_for()
        statuses = dict(zip(seen, await asyncio.gather(*(takes(one.page) for one in seen.values())), strict=True))
        assert sorted(statuses.values()) == [200, 409]
        second, first = sorted(seen, key=lambda login: -statuses[login])
        await expect(seen[second].toast.first).to_have_text(TAKEN[second])
        await expect(row(seen[second], "Who is first?").locator(".mark.taken")).to_be_visible()
        await expect(seen[first].mine.filter(has_text="Who is first?")).to_have_count(1)


async def _accepted_but_not_heard(route: Route) -> None:
    """The desk has it, and the browser does not know."""
    assert (await route.fetch()).ok
    await route.abort()


async def test_what_is_typed_while_the_desk_is_killed_is_kept_and_sent_once(place: Place) -> None:
    number = "+989121110003"
    async with place.agent("sara", "Failed to load resource", "^htmx:(sendError|afterRequest)") as sara:
        await place.text(number, "Are you open today?")
        await row(sara, "Are you open today?").click()
        await expect(sara.said("in")).to_have_text("Are you open today?")
        await sara.answer.press_sequentially("Until ")
        with place.up.without("views"):
            await expect(sara.page.locator("#line")).to_have_class("line lost")
            await sara.answer.press_sequentially("six.")
            await sara.answer.press("Control+Enter")
            await expect(sara.page.locator("#composer-error")).to_have_text("No connection. What you write is kept.")
            await expect(sara.answer).to_have_value("Until six.")
        await sara.is_live()
        await expect(sara.page.locator("#customer .who")).to_be_visible()
        await sara.page.reload()
        await sara.is_live()
        await expect(sara.answer).to_have_value("Until six.")
        await sara.page.route("**/messages", _accepted_but_not_heard, times=1)
        await sara.answer.press("Control+Enter")
        await expect(sara.page.locator("#composer-error")).to_have_text("No connection. What you write is kept.")
        await expect(sara.head.locator(".state")).to_contain_text("Answered")
        await sara.answer.press("Control+Enter")
        await expect(sara.answer).to_have_value("")
        made = await _taken(place.twilio, number)
        assert made["Body"] == "Until six."
        await place.twilio.report(made.sid, "sent", "delivered")
        await expect(step(sara)).to_have_text("Delivered")
        assert place.twilio.taken(number) == 1
