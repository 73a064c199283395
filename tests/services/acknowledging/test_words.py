"""In whose language, in which words, and that they fit."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import segments
from schemas.reference import parse_reference, reference
from services.acknowledging.words import TEXTS, acknowledged
from services.customers.filing import Filed, file
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.acknowledging.watch import acknowledging, first_reference, said, switch
from tests.services.answering.shop import Shop, sms


async def _likes(shop: Shop, address: str, language: str) -> None:
    filed = Filed((), language=language)
    await file(shop.settings.record_url, shop.ring, "shop", address, filed, source="command", command_id=uuid4())


async def test_in_the_language_on_file_else_in_the_tenants(shop: Shop) -> None:
    switch(shop, de="Ihre Nachricht ist da: {reference}")
    async with acknowledging(shop.settings) as watch:
        await shop.hear(sms("S1"))
        for number, language in enumerate(("en-GB", "de", "tr"), 1):
            address = f"tel:+98912000000{number}"
            await _likes(shop, address, language)
            await shop.hear(sms(f"T{number}", address=address))
        await watch.seen()
    told = sorted(await said(shop))
    # Where there are no words in their language, in the tenant's.
    assert [text.partition(" ")[0] for text in told] == ["Ihre", "We", "پیام", "پیام"]
    assert first_reference(shop.settings) in "".join(told)


@given(st.uuids())
def test_each_is_one_short_message_that_shows_the_reference(event_id: UUID) -> None:
    shown = reference(event_id)
    for language, encoding in (("en", "gsm7"), ("fa", "ucs2")):
        text = acknowledged(shown, [language], {})
        counted = segments(text)
        assert (counted.count, counted.encoding) == (1, encoding)
        assert shown in text
        lowest, highest = parse_reference(text.rpartition(" ")[2])
        assert lowest <= event_id <= highest, "copied out of the message, it is found"


@pytest.mark.parametrize(
    ("languages", "begins"),
    [
        ([None, "fa"], "پیام"),
        (["fa-IR", "en"], "پیام"),
        (["FA"], "پیام"),
        (["en", "fa"], "We"),
        (["tr", "fa"], "پیام"),
        (["tr", "az"], "We"),
        (["de", "fa"], "Danke"),
        ([], "We"),
    ],
)
def test_the_first_language_that_there_are_words_in(languages: list[str | None], begins: str) -> None:
    assert acknowledged("7K3M-2QXD", languages, {"de": "Danke: {reference}"}).startswith(begins)


def test_words_of_ones_own_come_first() -> None:
    own = {"fa": "رسید: {reference}"}
    assert acknowledged("7K3M-2QXD", ["fa"], own) == "رسید: 7K3M-2QXD"
    assert acknowledged("7K3M-2QXD", ["en"], own) == TEXTS["en"].replace("{reference}", "7K3M-2QXD")


@pytest.mark.parametrize(
    ("channel", "settings_given", "why"),
    [
        ("sms/twilio", {"acknowledge": "yes"}, "acknowledge must be on or off"),
        ("sms/twilio", {"acknowledge_text_fa": "رسید"}, "acknowledge_text_fa must say where the reference goes"),
        ("sms/twilio", {"acknowledge_text_fa": "{reference}" + "x" * 1000}, "at most 1000 characters"),
        ("sms/twilio", {"acknowledge_text_farsi": "{reference}"}, "acknowledge_text_farsi"),
        ("voice/twilio", {"acknowledge": "on", "answer": "observe"}, "Calls are not acknowledged"),
    ],
)
def test_what_cannot_be_set(settings: Settings, channel: str, settings_given: dict[str, str], why: str) -> None:
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("shop", "Shop"))
        with pytest.raises(Refused, match=why):
            tenancy.add_inbox("shop", NewInbox(channel, "A", "+982112345678", settings_given, {"auth_token": "a"}))


def test_a_text_is_taken_back_and_what_is_set_is_shown(settings: Settings) -> None:
    text = {"acknowledge_text_fa": "رسید: {reference}"}
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("shop", "Shop"))
        new = NewInbox("email/smtp", "A", "help@shop.example", {"acknowledge": "on"})
        inbox_id = tenancy.add_inbox("shop", new).inbox.inbox_id
        tenancy.change_inbox("shop", inbox_id, text, {})
        assert tenancy.view("shop", inbox_id).inbox.settings == {"acknowledge": "on"} | text
        tenancy.change_inbox("shop", inbox_id, {"acknowledge_text_fa": ""}, {})
        assert tenancy.view("shop", inbox_id).inbox.settings["acknowledge_text_fa"] == ""
