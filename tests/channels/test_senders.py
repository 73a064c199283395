"""What every sender promises, whatever its provider answers."""

import json
import re
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.capabilities import CAPABILITIES
from channels.registry import REGISTRY
from channels.senders import SENDERS
from channels.sending import (
    HandedOff,
    HttpAnswer,
    InDoubt,
    MailAnswer,
    Outgoing,
    Rejected,
    Retryable,
    Sender,
    Unanswered,
    Unsent,
)
from tests.channels.outgoing import MESSAGE_ID, Given, outgoing
from tests.channels.sms.requests import TOKEN
from tests.providers.twilio import ACCOUNT

MAILBOX: Final = {"address": "help@shop.example", "smtp_host": "mx.shop.example"}
TWILIO: Final = {"auth_token": TOKEN, "account_sid": ACCOUNT, "address": "+982191001234"}
READY: Final[Mapping[str, Mapping[str, str]]] = {
    "sms/twilio": TWILIO,
    "voice/twilio": {**TWILIO, "answer": "observe"},
    "email/smtp": MAILBOX,
    "email/imap": {**MAILBOX, "host": "imap.shop.example", "user": "help", "password": "x"},
    "chat/widget": {},
}
BARE: Final[Mapping[str, Mapping[str, str]]] = {
    "sms/twilio": {"auth_token": TOKEN},
    "voice/twilio": {"auth_token": TOKEN, "answer": "observe"},
    "email/smtp": {"address": "help@shop.example"},
    "email/imap": {"address": "help@shop.example", "host": "imap.shop.example", "user": "help", "password": "x"},
}
PROVIDERS: Final = sorted(set(SENDERS) - {"chat/widget"})
FEW: Final = settings(max_examples=60, deadline=None)

_documents = st.dictionaries(
    st.sampled_from(["sid", "code", "status", "message", "error_code"]),
    st.none() | st.integers() | st.booleans() | st.text(max_size=40) | st.lists(st.integers(), max_size=3),
).map(json.dumps)  # fmt: skip
http_answers = st.builds(
    HttpAnswer,
    st.sampled_from([200, 201, 204, 301, 307, 400, 401, 404, 408, 409, 429, 500, 502, 503, 504, 999]),
    st.sampled_from([(), (("retry-after", "7"),), (("retry-after", "Fri, 20 Nov 2026 09:31:00 GMT"),),
                     (("retry-after", "9" * 400),), (("retry-after", "soon"),)]),
    st.binary(max_size=200) | st.text(max_size=80).map(lambda text: json.dumps({"sid": text}).encode()) | _documents,
)  # fmt: skip
mail_answers = st.builds(
    MailAnswer,
    st.sampled_from([-1, 0, 199, 220, 250, 251, 354, 421, 450, 451, 452, 454, 500, 535, 550, 552, 553, 554, 999]),
    st.text(max_size=60) | st.sampled_from(["5.1.1 sara@example.com?", "4.2.2 Full", "5.7.26 DMARC", "5.999.999"]),
    st.sampled_from(["connect", "mail", "rcpt", "data", "end"]),
)
faults = st.sampled_from([Unsent("x"), Unanswered("x")])


def sender(name: str, settings: Mapping[str, str] | None = None) -> Sender:
    return SENDERS[name](READY[name] if settings is None else settings)


async def _end(name: str, wire: Given) -> HandedOff | Retryable | Rejected | InDoubt:
    try:
        return await sender(name).send(message(name), wire.wires)
    except (Retryable, Rejected, InDoubt) as told:
        return told


def message(name: str) -> Outgoing:
    return outgoing(address="mailto:sara@example.com") if name.startswith("email/") else outgoing()


def test_who_sends_is_a_channel_that_reaches_somebody() -> None:
    assert sorted(SENDERS) == sorted(READY) == sorted(name for name in REGISTRY if CAPABILITIES[name].reaches)


@pytest.mark.parametrize("name", PROVIDERS)
@FEW
@given(answer=http_answers, reply=mail_answers, fault=faults | st.none())
async def test_every_answer_ends_in_one_of_four_ways(
    name: str, answer: HttpAnswer, reply: MailAnswer, fault: Exception | None
) -> None:
    wire = Given(fault or (reply if name.startswith("email/") else answer))
    told = await _end(name, wire)
    assert len(wire.posted) == 1
    if isinstance(told, HandedOff):
        assert told.provider_id
        return
    assert told.why.endswith(".")
    assert "sara" not in told.why
    assert len(told.why) < 120
    if isinstance(told, Retryable):
        assert told.after_seconds is None or 0 <= told.after_seconds <= 3600
    if not isinstance(told, InDoubt):
        assert re.fullmatch("[a-z_0-9]{2,30}", told.code)


@pytest.mark.parametrize("name", PROVIDERS)
async def test_what_was_not_sent_is_tried_again_and_what_may_have_been_is_in_doubt(name: str) -> None:
    with pytest.raises(Retryable):
        await sender(name).send(message(name), Given(Unsent("x")).wires)
    with pytest.raises(InDoubt):
        await sender(name).send(message(name), Given(Unanswered("x")).wires)


@pytest.mark.parametrize("name", PROVIDERS)
async def test_who_was_not_set_up_to_send_says_what_to_set(name: str) -> None:
    wire = Given(Unsent("x"))
    with pytest.raises(Rejected) as told:
        await sender(name, BARE[name]).send(message(name), wire.wires)
    assert told.value.code == "not_set_up"
    assert any(word in told.value.why for word in ("account_sid", "smtp_host", "--address"))
    assert wire.posted == []


async def test_the_widget_shows_it_from_the_record() -> None:
    handed = await sender("chat/widget").send(outgoing(address="chat:v.abc"), Given(Unsent("x")).wires)
    assert handed == HandedOff(str(MESSAGE_ID))
    assert sender("chat/widget").idempotent
    assert not any(sender(name).idempotent for name in PROVIDERS)
