"""Calls over a real socket to the stand-in for Twilio, and its reports read by the channel."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.twiml.voice_response import VoiceResponse

from channels.contract import InboundRequest
from channels.sending import Outgoing, Rejected, Wires
from channels.voice.twilio import TwilioVoice, TwilioVoiceConfig
from channels.voice.twilio_send import TwilioVoiceSender
from services.wires.http import HttpWire
from services.wires.mail import MailWire
from tests.channels.outgoing import AT, outgoing
from tests.providers.twilio import ACCOUNT, TOKEN, Twilio, running

OURS, SARA = "+982191001234", "+989121234567"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


@pytest.fixture
async def twilio() -> AsyncGenerator[Twilio]:
    async with running() as made:
        yield made


@pytest.fixture
async def wires() -> AsyncGenerator[Wires]:
    http = HttpWire()
    yield Wires(http, MailWire())
    await http.close()


def _channel(twilio: Twilio, **given: str) -> TwilioVoice:
    settings = {"auth_token": TOKEN, "account_sid": ACCOUNT, "api_base": twilio.base, "address": OURS}
    return TwilioVoice.of(TwilioVoiceConfig.model_validate({**settings, "answer": "observe", **given}))


def _spoken(**given: Any) -> Outgoing:
    return outgoing(form="speech", **given)


async def test_a_text_is_read_out_in_its_language(twilio: Twilio, wires: Wires) -> None:
    handed = await TwilioVoiceSender(_channel(twilio)).send(_spoken(text="سلام & <خدا>"), wires)
    (made,) = twilio.made
    assert handed.provider_id == made.sid
    expected = VoiceResponse()
    expected.say("سلام & <خدا>", language="fa")
    assert made["Twiml"] == str(expected)
    assert (made["To"], made["From"]) == (SARA, OURS)
    assert [value for name, value in made.fields if name == "StatusCallbackEvent"] == [
        "initiated",
        "ringing",
        "answered",
        "completed",
    ]


async def test_the_inboxs_voice_and_language_come_first(twilio: Twilio, wires: Wires) -> None:
    channel = _channel(twilio, language="en-GB", voice="alice", caller_id="+982112345678")
    await TwilioVoiceSender(channel).send(_spoken(text="hello"), wires)
    (made,) = twilio.made
    assert made["Twiml"] == f'{_HEAD}<Response><Say language="en-GB" voice="alice">hello</Say></Response>'
    assert made["From"] == "+982112345678"


async def test_without_a_text_the_customer_is_connected_to_where_callers_are(twilio: Twilio, wires: Wires) -> None:
    channel = _channel(twilio, answer="dial:sip:desk@pbx.example")
    await TwilioVoiceSender(channel).send(_spoken(text=""), wires)
    assert ">sip:desk@pbx.example</Sip></Dial>" in twilio.made[0]["Twiml"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"text": ""}, "empty"),
        ({"text": "&" * 1000}, "too_long"),
        ({"text": "hi", "address": "mailto:sara@example.com"}, "no_such_number"),
    ],
)
async def test_what_cannot_be_called_is_refused(twilio: Twilio, wires: Wires, given: dict[str, str], code: str) -> None:
    with pytest.raises(Rejected) as told:
        await TwilioVoiceSender(_channel(twilio)).send(_spoken(**given), wires)
    assert told.value.code == code
    assert twilio.made == []


@pytest.mark.parametrize("state", ["initiated", "ringing", "in-progress", "completed", "no-answer"])
async def test_reports_of_the_call_are_of_what_was_handed_off(twilio: Twilio, wires: Wires, state: str) -> None:
    message, channel = _spoken(), _channel(twilio)
    handed = await TwilioVoiceSender(channel).send(message, wires)
    params = twilio._reported(twilio.made[0], state, None)
    request = InboundRequest(
        "POST", message.status_url, (), urlencode(params).encode(), AT, message.origin, purpose="status"
    )
    heard = channel.parse(request)
    about = message.origin.derive(handed.provider_id, "interaction")
    assert {getattr(one.fact, "interaction_id", None) for one in heard} == {about}
    assert {one.address for one in heard} == {message.address}
