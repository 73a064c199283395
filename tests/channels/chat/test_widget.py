import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from channels.chat import widget_frames as frames
from channels.chat.widget import Widget, WidgetConfig
from channels.contract import Origin
from channels.errors import BadSignature, Malformed
from schemas.interaction import InteractionReceived
from tests.channels.chat.recordings import (
    DRAWN,
    ID,
    KEY,
    OTHER_ID,
    hello,
    message,
    proven,
    recording,
    welcome,
)

WIDGET = Widget(WidgetConfig.model_validate({"proof_key": KEY}))
OLD_KEY = "the key before this one"


def heard(*said: Any) -> list[tuple[str, InteractionReceived]]:
    found = WIDGET.parse(recording(*said))
    return [(one.address, one.fact) for one in found if isinstance(one.fact, InteractionReceived)]


def text_of(text: str) -> str:
    ((_, fact),) = heard(hello(DRAWN), message(text))
    assert fact.personal is not None
    return fact.personal.text


def test_an_anonymous_message() -> None:
    ((address, fact),) = heard(hello(), welcome(), message("Where is my order?"))
    assert address == f"chat:v.{DRAWN}"
    assert (fact.kind, fact.channel, fact.direction) == ("message", "chat/widget", "in")
    assert (fact.assurance, fact.evidence) == ("none", ())
    assert fact.personal is not None
    assert (fact.personal.text, fact.personal.message_id) == ("Where is my order?", ID)


def test_a_proven_message() -> None:
    ((address, fact),) = heard(proven("42"), message())
    assert address == "chat:u.42@Shop%20site"
    assert (fact.assurance, fact.evidence) == ("verified", ("visitor_hmac",))


@pytest.mark.parametrize(
    ("visitor", "address"),
    [
        ("sara@example.com", "chat:u.sara%40example.com@Shop%20site"),
        ("سارا", "chat:u.سارا@Shop%20site"),
        ("a b%20", "chat:u.a%20b%2520@Shop%20site"),
        (DRAWN, f"chat:u.{DRAWN}@Shop%20site"),
    ],
)
def test_an_address_has_one_reading(visitor: str, address: str) -> None:
    assert heard(proven(visitor), message())[0][0] == address


def test_the_same_user_id_at_another_site_is_somebody_else() -> None:
    elsewhere = replace(recording(proven("42"), message()), origin=Origin("acme", "widget:Another"))
    assert WIDGET.parse(elsewhere)[0].address != heard(proven("42"), message())[0][0]


def test_nobody_can_take_the_id_of_another_visitors_message() -> None:
    mine, theirs = (WIDGET.parse(recording(proven(who), message()))[0] for who in ("42", "43"))
    assert mine.source_key != theirs.source_key


def test_several_messages_and_what_we_said_between_them() -> None:
    ack = {"t": "ack", "id": ID, "number": 1, "event_id": ID}
    ours = message("hello", OTHER_ID, number=2, **{"from": "agent"})
    found = heard(hello(), welcome(), message("one"), ack, ours, message("two", OTHER_ID))
    assert [fact.personal.text for _, fact in found if fact.personal] == ["one", "two"]


def test_what_a_script_sends_again_on_one_socket_is_one_message() -> None:
    found = heard(hello(DRAWN), message("one"), message("two", OTHER_ID), message("one, changed"))
    assert [fact.personal.text for _, fact in found if fact.personal] == ["one", "two"]


@pytest.mark.parametrize(
    ("greeting", "passes"),
    [
        (hello(), True),
        (hello(DRAWN), True),
        (proven("42"), True),
        (proven("سارا"), True),
        (hello("42", proven("42")["proof"].upper()), True),
        (hello("42"), False),
        (hello(DRAWN.upper()), False),
        (hello("42", proven("43")["proof"]), False),
        (hello("42", "0" * 64), False),
        (hello("42", "ي"), False),
        (hello(None, proven("42")["proof"]), False),
        (proven("42", "another key than this"), False),
    ],
)
def test_who_a_visitor_may_be(greeting: dict[str, Any], passes: bool) -> None:
    given = frames.hello(greeting)
    if passes:
        WIDGET.check(given)
    else:
        with pytest.raises(BadSignature):
            WIDGET.check(given)


def test_the_key_before_passes_while_it_is_valid() -> None:
    rotating = Widget(WidgetConfig.model_validate({"proof_key": KEY, "proof_key_previous": OLD_KEY}))
    for key in (KEY, OLD_KEY):
        rotating.verify(recording(proven("42", key), message()))
    with pytest.raises(BadSignature):
        WIDGET.verify(recording(proven("42", OLD_KEY), message()))


def test_without_a_key_nobody_is_proven() -> None:
    with pytest.raises(BadSignature, match="no proof_key"):
        Widget(WidgetConfig()).verify(recording(proven("42"), message()))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  a\r\nb\rc\t", "a\nb\nc"),
        ("a\0b\x07", "ab"),
        ("cut \ud83d", "cut �"),
        ("\udc00\ud800", "��"),
        ("whole \ud83d\ude00", "whole 😀"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_what_is_typed_is_kept_as_text(typed: str, kept: str) -> None:
    assert text_of(typed) == kept
    kept.encode()


@pytest.mark.parametrize(
    "frame",
    [
        message(""),
        message(" \n\0"),
        message("x" * 4001),
        message(message_id="1"),
        message(message_id=""),
        {"t": "message", "text": "x"},
        {"t": "message", "id": ID, "text": ["x"]},
        {"t": "hello"},
        message(number=7),
        {},
    ],
)
def test_what_is_no_message(frame: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        frames.said(frame)


def test_the_longest_message() -> None:
    assert len(text_of("😀" * 4000)) == 4000


@pytest.mark.parametrize(
    "frame",
    [{"t": "message"}, hello(after=-1), hello(after=True), hello(after="1"), hello(after=1 << 31), hello("x" * 101)],
)
def test_what_is_no_hello(frame: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        frames.hello(frame)


@pytest.mark.parametrize(
    "written", ["", "{", "[]", "null", '"x"', "NaN", '{"t": NaN}', "[" * 60_000, b"\xff", "1" * 5000]
)
def test_what_is_no_frame(written: str | bytes) -> None:
    with pytest.raises(Malformed):
        frames.read(written)


@pytest.mark.parametrize(
    "said",
    [(), ("x",), (hello(),), (hello(), message()), (message(), hello(DRAWN)), (hello(DRAWN), {"t": []}, {"t": {}})],
)
def test_what_is_no_recording(said: tuple[Any, ...]) -> None:
    with pytest.raises(Malformed):
        WIDGET.parse(recording(*said))


@pytest.mark.parametrize(
    ("origins", "origin", "admitted"),
    [
        ("", "https://anything.example", True),
        ("", None, True),
        ("https://Shop.example/", "https://shop.example", True),
        ("https://shop.example:443", "https://shop.example", True),
        ("http://localhost:3000, https://shop.example", "http://localhost:3000", True),
        ("https://shop.example", "http://shop.example", False),
        ("https://shop.example", "https://evil-shop.example", False),
        ("https://shop.example", "https://shop.example.evil.example", False),
        ("https://shop.example", "null", False),
        ("https://shop.example", None, False),
    ],
)
def test_sites_that_may_embed_it(origins: str, origin: str | None, admitted: bool) -> None:
    assert Widget(WidgetConfig.model_validate({"origins": origins})).admits(origin) is admitted


@pytest.mark.parametrize("origins", ["shop.example", "https://shop.example/chat", "*", "ftp://shop.example"])
def test_what_is_no_origin(origins: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        WidgetConfig.model_validate({"origins": origins})


def test_a_recording_is_json_that_others_can_read() -> None:
    assert json.loads(recording(hello(), welcome(), message()).body)[2]["id"] == ID
