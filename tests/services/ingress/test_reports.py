"""What Twilio reports of our messages comes in by the front door, and joins what was handed off, whatever its order."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from channels.contract import Origin
from channels.sending import Wires
from channels.sms.twilio import TwilioConfig
from channels.sms.twilio_send import TwilioSender
from services.settings import Settings
from services.wires.wires import open_wires
from tests.channels.outgoing import outgoing
from tests.providers import twilio
from tests.services.ingress.edge import AUTH_TOKEN, Edge, running_edge
from tests.services.ingress.mail.seen import RECEIPTS, facts

ORIGIN = Origin("shop", "twilio:+982191001234")


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


@pytest.fixture
async def wires() -> AsyncGenerator[Wires]:
    async with open_wires() as made:
        yield made


def _sender(base: str) -> TwilioSender:
    return TwilioSender(
        TwilioConfig.model_validate(
            {"auth_token": AUTH_TOKEN, "account_sid": twilio.ACCOUNT, "address": "+982191001234", "api_base": base}
        )
    )


async def test_late_twice_and_out_of_order(edge: Edge, wires: Wires) -> None:
    message = outgoing(origin=ORIGIN, status_url=f"{edge.http}{edge.sms_path}/status")
    async with twilio.running() as standing:
        handed = await _sender(standing.base).send(message, wires)
        statuses = await standing.report(handed.provider_id, "delivered", "sent", "read", times=2)
    assert statuses == [200] * 6
    await edge.until(RECEIPTS, 3)
    receipts = await facts(edge.settings, "receipt.reported")
    assert [receipt["state"] for receipt in receipts] == ["delivered", "sent", "read"]
    about = ORIGIN.derive(handed.provider_id, "interaction")
    assert {UUID(receipt["interaction_id"]) for receipt in receipts} == {about}
    assert {receipt["personal"]["address"] for receipt in receipts} == {message.address}


async def test_a_report_that_comes_before_our_own_answer(edge: Edge, wires: Wires) -> None:
    message = outgoing(origin=ORIGIN, status_url=f"{edge.http}{edge.sms_path}/status")
    async with twilio.running() as standing:
        standing.reports = ("queued", "failed")
        handed = await _sender(standing.base).send(message, wires)
        await standing.settled()
    assert (standing.answers, standing.taken("+989121234567")) == ([200, 200], 1)
    await edge.until(RECEIPTS, 2)
    receipts = await facts(edge.settings, "receipt.reported")
    assert {UUID(one["interaction_id"]) for one in receipts} == {ORIGIN.derive(handed.provider_id, "interaction")}
