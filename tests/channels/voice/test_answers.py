"""What a caller meets, whatever becomes of the request."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from channels.contract import InboundRequest, answering
from channels.errors import BadSignature
from channels.signing import sign_twilio
from channels.voice.twilio import TwilioVoiceConfig
from tests.channels.sms.requests import CHANNEL as SMS
from tests.channels.sms.requests import MESSAGE
from tests.channels.sms.requests import form as sms
from tests.channels.voice.requests import (
    ANSWER,
    CHANNEL,
    SETTINGS,
    TOKEN,
    URL,
    dialled,
    form,
    leg,
    recorded,
    report,
    voice,
)

STATUS = f"{URL}/status".encode()


@pytest.mark.parametrize("purpose", [None, "answer", "status"])
def test_a_caller_is_connected_also_when_nothing_can_be_stored_or_read(purpose: str | None) -> None:
    acks = answering(CHANNEL, form(ANSWER, purpose=purpose))
    assert acks.accepted == acks.away == acks.malformed
    assert (acks.accepted.status, acks.accepted.media_type) == (200, "text/xml; charset=utf-8")
    assert acks.accepted.body.count(STATUS + b'"') == 2
    assert b"sip:desk@pbx.example" in acks.accepted.body
    assert acks.bad_signature.status == 403


def test_each_inbox_is_told_of_at_its_own_url() -> None:
    other = replace(form(ANSWER), url=URL.replace("k3y", "other") + "?from=elsewhere")
    assert other.url != form(ANSWER).url
    for request in (form(ANSWER), other, form(ANSWER)):
        told = answering(CHANNEL, request).accepted.body
        assert told.count(f'"{request.url.partition("?")[0]}/status"'.encode()) == 2


def test_a_body_that_cannot_be_read_still_connects_the_caller() -> None:
    broken = replace(form(ANSWER), headers=(("content-type", "application/json"),), body=b"{")
    assert answering(CHANNEL, broken).malformed == answering(CHANNEL, form(ANSWER)).accepted


@pytest.mark.parametrize(
    "request_",
    [
        report("in-progress", 0, 8),
        leg("ringing", 1, 2),
        dialled("no-answer", 31),
        recorded(),
        report("completed", 1, 9),
    ],
)
@pytest.mark.parametrize("purpose", ["status", None])
def test_a_report_is_never_answered_with_instructions(request_: InboundRequest, purpose: str | None) -> None:
    acks = answering(CHANNEL, replace(request_, purpose=purpose))
    assert (acks.accepted.status, acks.accepted.body, acks.away.status) == (200, b"<Response/>", 503)


def test_whoever_only_observes_hangs_nobody_up() -> None:
    acks = answering(voice(answer="observe"), form(ANSWER))
    assert [answer.status for answer in (acks.accepted, acks.malformed, acks.away)] == [501, 501, 501]
    assert answering(voice(answer="observe"), report("completed", 1, 9)).accepted.status == 200


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("dial:+982112345678", "connected to +982112345678, which rings 30 s"),
        ("redirect:https://ivr.example", "handed to the system"),
        ("say:closed", "hears a text"),
        ("observe", "only the URL with /status"),
    ],
)
def test_what_a_caller_meets_is_told(choice: str, told: str) -> None:
    assert told in voice(answer=choice).explained()


def test_other_channels_answer_the_same_to_everything() -> None:
    assert answering(SMS, sms(MESSAGE)) == SMS.acks


@pytest.mark.parametrize("left_out", [(), ("CallToken",), ("StirVerstat",), ("CallToken", "StirVerstat")])
def test_what_is_put_in_after_signing_need_not_be_signed(left_out: tuple[str, ...]) -> None:
    signed = {name: value for name, value in ANSWER.items() if name not in left_out}
    signature = sign_twilio(TOKEN, URL, signed.items())
    request = form(ANSWER)
    request = replace(request, headers=(request.headers[0], ("x-twilio-signature", signature)))
    CHANNEL.verify(request)


def test_everything_else_is_signed() -> None:
    for name in ANSWER.keys() - {"CallToken", "StirVerstat"}:
        changed = form(ANSWER | {name: "other"})
        with pytest.raises(BadSignature):
            CHANNEL.verify(replace(changed, headers=form(ANSWER).headers))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"answer": ""}, "what happens to a caller"),
        ({"answer": "dial:desk"}, "country code"),
        ({"timeout_seconds": "1"}, "greater than or equal to 5"),
        ({"caller_id": "0912"}, "country code"),
        ({"language": "fa_IR!"}, "match pattern"),
        ({"auth_token": ""}, "at least 1"),
        ({"colour": "blue"}, "not permitted"),
    ],
)
def test_settings_that_cannot_work_are_refused(changed: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TwilioVoiceConfig.model_validate({**SETTINGS, **changed})


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(CHANNEL)
