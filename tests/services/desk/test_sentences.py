"""What the house says of messages and answers is said in Persian too."""

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.async_api import expect

from schemas.outbound import MessageInDoubt, MessageStarted
from services.answering.answering import Draft
from services.desk.sentences_fa import SENTENCES, persian
from services.desk.wording import told
from services.record.decisions import Decided
from services.settings import Settings
from tests.services.desk.house import desk_of, signed_in
from tests.services.desk.sentences import of_answers, of_messages
from tests.services.ingress.browser import chromium

PERSIAN = re.compile("[\u0600-\u06ff]")
OF_OTHERS = {
    "The settings of {} are not right: {}.",
    "There is no way to answer this customer.",
    "Say why this answer should take another channel.",
}
"""Said by whom dispatch and answering ask: the maker of channels, and the resolver."""


def test_every_sentence_that_an_agent_may_meet_has_persian_words() -> None:
    said = of_messages() | of_answers()
    assert sorted(said - SENTENCES.keys()) == []
    # The collector finds what it is there for.
    assert {
        "The customer's mailbox is full.",
        "Twilio refused the message ({}).",
        "The provider reports a failure: {}.",
        "The provider did not answer in time.",
        "It was tried {} times or for a day. The last answer was: ",
        "There is no such conversation.",
    } <= said
    assert sorted(SENTENCES.keys() - said - OF_OTHERS) == []


def test_translations_keep_what_stands_in_them() -> None:
    for english, said in SENTENCES.items():
        assert PERSIAN.search(said), english
        assert said.count("{}") == english.count("{}"), english
        assert said.endswith(": ") == english.endswith(": "), english


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("The customer's mailbox is full.", "صندوق ایمیل مشتری پر است."),
        ("Twilio refused the message (error 30999).", "Twilio پیام را نپذیرفت (\u2066error 30999\u2069)."),
        ("The inbox 'Sales' is closed.", "صندوق \u2066'Sales'\u2069 بسته است."),
        (
            "It was tried 12 times or for a day. The last answer was: Twilio takes no more at the moment.",
            "\u206612\u2069 بار یا یک روز کوشش شد. آخرین پاسخ این بود: Twilio اکنون بیش از این نمی‌پذیرد.",
        ),
        ("What nobody ever says.", "What nobody ever says."),
    ],
)
def test_numbers_and_names_stay(english: str, said: str) -> None:
    assert told("fa", english) == said
    assert told("en", english) == english
    assert persian("What nobody ever says.") is None


async def test_a_persian_desk_says_what_became_of_a_message(settings: Settings) -> None:
    async with desk_of(settings) as desk, chromium("fa-IR") as (context, console):
        await desk.house.say("Where is my order?")
        await desk.caught_up()
        of = UUID((await desk.house.get("/api/v1/conversations")).json()["items"][0]["conversation_id"])
        floor = desk.running.floor
        asked = await floor.answering.ask("shop", of, Draft("On its way."), command_id=uuid4(), now=datetime.now(UTC))
        message_id, way = asked.message_id, asked.resolution
        facts = (
            MessageStarted(message_id=message_id, attempt=1, channel=way.channel, inbox_id=way.inbox_id),
            MessageInDoubt(message_id=message_id, attempt=1, why="The provider did not answer in time."),
        )
        decided = [Decided(message_id, version, "shop", fact) for version, fact in enumerate(facts, 3)]
        await asyncio.to_thread(floor.decisions.save, decided)
        await desk.caught_up()
        seen = await signed_in(context, desk, "omid", f"/desk/c/{of}")
        await expect(seen.page.locator(".entry.out .why")).to_have_text("ارائه‌دهنده به‌موقع پاسخ نداد.")
        assert console.errors == []
