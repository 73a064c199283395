import json
from dataclasses import replace

import pytest

from channels.errors import Malformed
from channels.signing import with_body_digest
from schemas.customer import ConsentStated
from schemas.interaction import Content, InteractionReceived, ReceiptReported, Recipient
from tests.channels.sms.requests import CHANNEL, MESSAGE, ORIGIN, SID, STATUS, URL, body, form

INTERACTION = ORIGIN.derive(SID, "interaction")


def _message(**changed: str) -> InteractionReceived:
    fact = CHANNEL.parse(form(MESSAGE | changed))[0].fact
    assert isinstance(fact, InteractionReceived)
    return fact


def _said(**changed: str) -> Content:
    said = _message(**changed).personal
    assert said is not None
    return said


def test_a_message() -> None:
    (heard,) = CHANNEL.parse(form(MESSAGE))
    assert (heard.source_key, heard.address, heard.occurred_at) == (SID, "tel:+989121234567", None)
    assert heard.fact == InteractionReceived(
        interaction_id=INTERACTION,
        kind="message",
        channel="sms/twilio",
        assurance="claimed",
        provider_codes={"country": "IR", "segments": "1"},
        personal=Content(address="tel:+989121234567", recipient="tel:+982191000000", text="سلام + سفارش ۱۲۳ کجاست؟"),
    )


def test_nothing_that_tells_where_a_person_is_stands_in_the_clear_part() -> None:
    clear = _message().clear_json()
    assert b"TEHRAN" not in clear
    assert b"9121234567" not in clear


@pytest.mark.parametrize(
    ("sender", "address", "assurance"),
    [
        ("+989121234567", "tel:+989121234567", "claimed"),
        ("09121234567", "tel:+989121234567", "claimed"),
        ("whatsapp:+989121234567", "whatsapp:+989121234567", "verified"),
        ("BANK", "sms:BANK", "claimed"),
        ("30001234", "sms:30001234", "claimed"),
    ],
)
def test_whom_a_message_is_from(sender: str, address: str, assurance: str) -> None:
    (heard,) = CHANNEL.parse(form(MESSAGE | {"From": sender}))
    assert heard.address == address
    assert isinstance(heard.fact, InteractionReceived)
    assert heard.fact.personal is not None
    assert (heard.fact.personal.address, heard.fact.assurance) == (address, assurance)


def test_media_are_named_with_where_they_are() -> None:
    media = {"NumMedia": "2", "MediaUrl0": "https://api.twilio.com/m/0", "MediaContentType0": "image/jpeg"}
    fact = _message(**media)
    assert [attachment.media_type for attachment in fact.attachments] == ["image/jpeg", "application/octet-stream"]
    assert fact.personal is not None
    assert [name.url for name in fact.personal.attachments] == ["https://api.twilio.com/m/0", None]
    ids = [attachment.attachment_id for attachment in fact.attachments]
    assert ids == [name.attachment_id for name in fact.personal.attachments]
    assert len(set(ids)) == 2
    assert b"api.twilio.com" not in fact.clear_json()


def test_no_database_is_given_a_nul() -> None:
    assert _said(Body="with\0out\0").text == "without"
    (heard,) = CHANNEL.parse(form({"From": "+98912\x001234567", "MessageSid": "SM\x001", "FromCountry": "I\0R"}))
    assert (heard.address, heard.source_key) == ("tel:+989121234567", "SM1")
    assert heard.fact.model_dump()["provider_codes"] == {"country": "IR"}


def test_what_fits_into_no_fact_is_malformed() -> None:
    with pytest.raises(Malformed, match="32768 are the most"):
        CHANNEL.parse(form(MESSAGE | {"From": "1-(" * 20_000}))


def test_what_whatsapp_adds() -> None:
    said = _said(ProfileName="Sara", ButtonText="Yes", ButtonPayload="yes", OriginalRepliedMessageSid="SM9")
    assert (said.name, said.in_reply_to) == ("Sara", ("SM9",))
    assert said.fields == {"ButtonText": "Yes", "ButtonPayload": "yes"}


@pytest.mark.parametrize(("word", "granted"), [("STOP", False), ("START", True), ("HELP", None), ("stop", False)])
def test_words_that_end_or_begin_consent(word: str, granted: bool | None) -> None:
    heard = CHANNEL.parse(form(MESSAGE | {"OptOutType": word, "Body": "لغو"}))
    stated = [one.fact for one in heard if isinstance(one.fact, ConsentStated)]
    assert [fact.granted for fact in stated] == ([] if granted is None else [granted])
    assert all(fact.personal and fact.personal.wording == "لغو" for fact in stated)
    assert isinstance(heard[0].fact, InteractionReceived)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("accepted", "queued"),
        ("queued", "queued"),
        ("sending", "queued"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_a_receipt(word: str, state: str) -> None:
    (heard,) = CHANNEL.parse(form(STATUS | {"MessageStatus": word}))
    assert (heard.source_key, heard.address) == (f"{SID}/{word}", "tel:+989121234567")
    assert isinstance(heard.fact, ReceiptReported)
    assert (heard.fact.interaction_id, heard.fact.state, heard.fact.reported) == (INTERACTION, state, word)
    assert heard.fact.personal == Recipient(address="tel:+989121234567")


def test_a_word_that_we_do_not_know_is_no_fact() -> None:
    assert CHANNEL.parse(form(STATUS | {"MessageStatus": "teleported"})) == []


def test_a_receipt_by_its_door_has_only_the_old_name() -> None:
    old = {name: value for name, value in STATUS.items() if name != "MessageStatus"}
    (heard,) = CHANNEL.parse(form(old, purpose="status"))
    assert isinstance(heard.fact, ReceiptReported)


def test_a_failure_because_of_stop_is_also_consent() -> None:
    receipt, stop = CHANNEL.parse(form(STATUS | {"MessageStatus": "failed", "ErrorCode": "21610"}))
    assert isinstance(receipt.fact, ReceiptReported)
    assert receipt.fact.error_code == "21610"
    assert isinstance(stop.fact, ConsentStated)
    assert (stop.fact.granted, stop.address) == (False, "tel:+989121234567")


def test_json_says_the_same_as_a_form() -> None:
    content = json.dumps(MESSAGE | {"NumMedia": 0, "FromZip": None}).encode()
    posted = body(content, url=with_body_digest(URL, content))
    CHANNEL.verify(posted)
    assert CHANNEL.parse(posted) == CHANNEL.parse(form(MESSAGE))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "MessageSid"),
        ({"MessageSid": SID}, "From"),
        ({"MessageSid": SID, "MessageStatus": "sent"}, "To"),
        (MESSAGE | {"NumMedia": "many"}, "NumMedia"),
        (MESSAGE | {"NumMedia": "9999"}, "NumMedia"),
        (MESSAGE | {"NumMedia": "-1"}, "NumMedia"),
    ],
)
def test_what_cannot_be_read_names_the_field(params: dict[str, str], field: str) -> None:
    with pytest.raises(Malformed, match=field):
        CHANNEL.parse(form(params))


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b'{"MessageSid": "\\ud800"}'])
def test_a_body_that_is_no_json_object(content: bytes) -> None:
    with pytest.raises(Malformed):
        CHANNEL.parse(body(content, url=URL))


def test_every_answer_is_what_twilio_reads() -> None:
    acks = CHANNEL.acks
    assert [acks.accepted.status, acks.bad_signature.status, acks.malformed.status, acks.away.status] == [
        200,
        403,
        200,
        503,
    ]
    assert acks.accepted.body == b"<Response/>"
    assert replace(acks.accepted) == acks.malformed
