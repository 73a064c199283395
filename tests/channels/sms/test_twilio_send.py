"""Short messages over a real socket to the stand-in for Twilio, and its reports read by the channel."""

from collections.abc import AsyncGenerator
from urllib.parse import urlencode

import pytest

from channels.contract import InboundRequest
from channels.sending import HandedOff, InDoubt, Outgoing, Rejected, Retryable, Wires
from channels.sms.twilio import Twilio, TwilioConfig
from channels.sms.twilio_send import TwilioSender
from schemas.interaction import ReceiptReported
from services.wires.http import HttpWire
from services.wires.mail import MailWire
from tests.channels.outgoing import AT, outgoing
from tests.providers.twilio import ACCOUNT, KEY, KEY_SECRET, TOKEN, running
from tests.providers.twilio import Twilio as StandIn

OURS, SARA = "+982191001234", "+989121234567"


@pytest.fixture
async def twilio() -> AsyncGenerator[StandIn]:
    async with running() as made:
        yield made


@pytest.fixture
async def wires() -> AsyncGenerator[Wires]:
    http, mail = HttpWire(answer_seconds=0.3), MailWire()
    yield Wires(http, mail)
    await http.close()
    await mail.close()


def _config(twilio: StandIn, **given: str) -> TwilioConfig:
    return TwilioConfig.model_validate(
        {"auth_token": TOKEN, "account_sid": ACCOUNT, "api_base": twilio.base, "address": OURS, **given}
    )


async def _send(twilio: StandIn, wires: Wires, message: Outgoing | None = None, **given: str) -> HandedOff:
    return await TwilioSender(_config(twilio, **given)).send(message or outgoing(), wires)


async def test_a_message_is_made_with_all_that_twilio_needs(twilio: StandIn, wires: Wires) -> None:
    handed = await _send(twilio, wires)
    (made,) = twilio.made
    assert handed == HandedOff(made.sid)
    assert dict(made.fields) == {
        "To": SARA,
        "From": OURS,
        "Body": "سفارش شما در راه است.",
        "StatusCallback": outgoing().status_url,
    }


async def test_a_key_and_a_messaging_service_do_as_well(twilio: StandIn, wires: Wires) -> None:
    service = "MG0123456789abcdef0123456789abcdef"
    await _send(twilio, wires, api_key=KEY, api_secret=KEY_SECRET, messaging_service=service)
    assert (twilio.made[0]["From"], twilio.made[0]["MessagingServiceSid"]) == ("", service)


@pytest.mark.parametrize(
    ("address", "to"), [("whatsapp:+989121234567", "whatsapp:+989121234567"), ("sms:1000", "1000")]
)
async def test_other_networks_keep_their_name(twilio: StandIn, wires: Wires, address: str, to: str) -> None:
    await _send(twilio, wires, outgoing(address=address))
    assert twilio.made[0]["To"] == to


@pytest.mark.parametrize("state", ["sent", "delivered", "undelivered", "read"])
async def test_its_reports_name_what_was_handed_off(twilio: StandIn, wires: Wires, state: str) -> None:
    message = outgoing()
    handed = await _send(twilio, wires, message)
    params = twilio._reported(twilio.made[0], state, 30003 if state == "undelivered" else None)
    request = InboundRequest(
        "POST", message.status_url, (), urlencode(params).encode(), AT, message.origin, purpose="status"
    )
    heard = Twilio(_config(twilio)).parse(request)
    (receipt,) = [one.fact for one in heard if isinstance(one.fact, ReceiptReported)]
    assert receipt.interaction_id == message.origin.derive(handed.provider_id, "interaction")
    assert heard[0].address == message.address


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+15005550001", "no_such_number"),
        ("+15005550002", "no_route"),
        ("+15005550003", "region"),
        ("+15005550004", "stopped"),
        ("+15005550009", "no_mobile"),
    ],
)
async def test_a_refusal_is_told_in_words(twilio: StandIn, wires: Wires, to: str, code: str) -> None:
    with pytest.raises(Rejected) as told:
        await _send(twilio, wires, outgoing(address=f"tel:{to}"))
    assert told.value.code == code


async def test_a_wrong_token_is_the_inboxs_fault(twilio: StandIn, wires: Wires) -> None:
    with pytest.raises(Rejected) as told:
        await _send(twilio, wires, auth_token="another token")
    assert told.value.code == "not_allowed"


async def test_text_that_no_message_can_hold_is_refused(twilio: StandIn, wires: Wires) -> None:
    with pytest.raises(Rejected) as told:
        await _send(twilio, wires, outgoing(text="x" * 1601))
    assert told.value.code == "too_long"
    with pytest.raises(Rejected):
        await _send(twilio, wires, outgoing(text=" \0 "))
    assert twilio.made == []


@pytest.mark.parametrize(("mode", "seconds"), [("throttle", 7.0), ("away", None)])
async def test_too_much_is_tried_again_when_twilio_says(
    twilio: StandIn, wires: Wires, mode: str, seconds: float | None
) -> None:
    twilio.mode = mode  # type: ignore[assignment]
    with pytest.raises(Retryable) as told:
        await _send(twilio, wires)
    assert told.value.after_seconds == seconds
    assert twilio.made == []


@pytest.mark.parametrize("mode", ["silent", "hangs_up", "nonsense", "html", "broken"])
async def test_whatever_may_have_been_taken_is_in_doubt(twilio: StandIn, wires: Wires, mode: str) -> None:
    twilio.mode = mode  # type: ignore[assignment]
    with pytest.raises(InDoubt):
        await _send(twilio, wires)
    assert twilio.requests == 1


async def test_who_is_not_reached_was_not_asked(twilio: StandIn, wires: Wires) -> None:
    with pytest.raises(Retryable) as told:
        await _send(twilio, wires, api_base="http://127.0.0.1:1")
    assert told.value.code == "unreachable"
    assert twilio.requests == 0
