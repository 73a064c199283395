"""The same bytes as Twilio's own library makes."""

import pytest
from twilio.twiml import TwiML
from twilio.twiml.voice_response import Dial as TwilioDial
from twilio.twiml.voice_response import VoiceResponse

from channels.voice.answer import Choice, read_choice
from channels.voice.twiml import Manner, instructions

STATUS = "https://hub.example.com/hooks/voice/twilio/k3y/status"
EVENTS = "initiated ringing answered completed"


def _dial(noun: str, target: str, timeout: int = 30, caller_id: str | None = None) -> TwiML:
    dial = TwilioDial(action=STATUS, answer_on_bridge=True, timeout=timeout, caller_id=caller_id)
    getattr(dial, noun)(target, status_callback=STATUS, status_callback_event=EVENTS)
    return VoiceResponse().append(dial)


def _say(text: str, language: str | None = None, voice: str | None = None) -> TwiML:
    response = VoiceResponse()
    response.say(text, language=language, voice=voice)
    return response


def _redirect(url: str) -> TwiML:
    response = VoiceResponse()
    response.redirect(url)
    return response


PLAIN = Manner(30, None, None, None)
PERSIAN = Manner(12, "+982191000000", "fa-IR", "Google.fa-IR-Standard-A")


@pytest.mark.parametrize(
    ("written", "manner", "theirs"),
    [
        ("dial:+982112345678", PLAIN, _dial("number", "+982112345678")),
        ("dial: +98 21 1234-5678", PERSIAN, _dial("number", "+982112345678", 12, "+982191000000")),
        ("dial:tel:+982112345678", PLAIN, _dial("number", "+982112345678")),
        ("dial:sip:desk@pbx.example;transport=tls", PLAIN, _dial("sip", "sip:desk@pbx.example;transport=tls")),
        ("say:الو، <ما> & شما \"خوب\" 'ید'؟", PERSIAN, _say("الو، <ما> & شما \"خوب\" 'ید'؟", "fa-IR", PERSIAN.voice)),
        ("say:We are closed.\nCall again.", PLAIN, _say("We are closed.\nCall again.")),
        ("redirect:https://ivr.example/start?a=1&b=2", PLAIN, _redirect("https://ivr.example/start?a=1&b=2")),
    ],
)
def test_what_twilio_is_told(written: str, manner: Manner, theirs: TwiML) -> None:
    assert instructions(read_choice(written), manner, STATUS) == str(theirs)


def test_the_url_of_the_inbox_is_written_as_xml_asks() -> None:
    url = 'https://hub.example.com/a?b=1&c="<'
    dial = TwilioDial(action=url, answer_on_bridge=True, timeout=30)
    dial.number("+982112345678", status_callback=url, status_callback_event=EVENTS)
    assert instructions(read_choice("dial:+982112345678"), PLAIN, url) == str(VoiceResponse().append(dial))


def test_nothing_is_told_where_another_answers() -> None:
    assert instructions(read_choice("observe"), PLAIN, STATUS) is None


def test_what_xml_cannot_hold_is_left_out() -> None:
    choice: Choice = read_choice("say:a\0b\x1bc")
    assert instructions(choice, PLAIN, STATUS) == str(_say("abc"))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "nothing that can be done"),
        ("ring", "nothing that can be done"),
        ("observe:me", "nothing that can be done"),
        ("dial:", "country code"),
        ("dial:02112345678", "country code"),
        ("dial:sip:desk", "whole SIP address"),
        ("redirect:http://ivr.example", "https://"),
        ("redirect:ivr", "https://"),
        ("say:", "a text of 1 to 4096"),
        ("say:" + "x" * 4097, "a text of 1 to 4096"),
    ],
)
def test_what_cannot_be_done_with_a_caller_says_why(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_choice(written)
