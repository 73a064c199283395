"""The stand-in for Twilio is what Twilio's own client takes for Twilio."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.providers.twilio import ACCOUNT, KEY, KEY_SECRET, TOKEN, Twilio, running

OURS, SARA = "+982191001234", "+989121234567"


@pytest.fixture
async def twilio() -> AsyncGenerator[Twilio]:
    async with running() as made:
        yield made


def _client(twilio: Twilio, user: str = ACCOUNT, password: str = TOKEN) -> Client:
    client = Client(user, password, account_sid=ACCOUNT)
    client.api.base_url = twilio.base
    return client


async def test_it_makes_messages_and_calls(twilio: Twilio) -> None:
    client = _client(twilio)
    message = await asyncio.to_thread(client.messages.create, to=SARA, from_=OURS, body="سلام")
    assert (message.sid, message.body, message.status, message.to) == (twilio.made[0].sid, "سلام", "queued", SARA)
    call = await asyncio.to_thread(client.calls.create, to=SARA, from_=OURS, twiml="<Response/>")
    assert (call.sid, call.direction) == (twilio.made[1].sid, "outbound-api")
    assert (twilio.taken(SARA), twilio.requests) == (2, 2)


async def test_it_tells_of_the_account(twilio: Twilio) -> None:
    account = await asyncio.to_thread(_client(twilio, KEY, KEY_SECRET).api.accounts(ACCOUNT).fetch)
    assert (account.sid, account.status) == (ACCOUNT, "active")


@pytest.mark.parametrize(
    ("to", "body", "code"),
    [
        ("+15005550001", "hi", 21211),
        ("+15005550003", "hi", 21408),
        ("+15005550004", "hi", 21610),
        ("+15005550009", "hi", 21614),
        (SARA, "x" * 1601, 21617),
        (SARA, "", 21602),
    ],
)
async def test_it_refuses_as_twilio_does(twilio: Twilio, to: str, body: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(_client(twilio).messages.create, to=to, from_=OURS, body=body)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert twilio.made == []


async def test_it_knows_who_may_ask(twilio: Twilio) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(_client(twilio, password="wrong").messages.create, to=SARA, from_=OURS, body="hi")
    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_it_throttles_and_breaks(twilio: Twilio) -> None:
    twilio.mode = "throttle"
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(_client(twilio).messages.create, to=SARA, from_=OURS, body="hi")
    assert (refused.value.status, refused.value.code) == (429, 20429)
    assert twilio.made == []


async def test_its_reports_are_signed_as_twilios_own_validator_wants(twilio: Twilio) -> None:
    seen = list[tuple[dict[str, str], bool]]()
    url = ""

    async def take(request: web.Request) -> web.Response:
        params = dict(parse_qsl(await request.text(), keep_blank_values=True))
        signature = request.headers["X-Twilio-Signature"]
        seen.append((params, cast("bool", RequestValidator(TOKEN).validate(url, params, signature))))
        return web.Response(text="<Response/>")

    app = web.Application()
    app.router.add_post("/status", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/status?x=1"
    twilio.reports = ("sent", "delivered")
    create = _client(twilio).messages.create
    message = await asyncio.to_thread(create, to=SARA, from_=OURS, body="hi", status_callback=url)
    await twilio.settled()
    assert message.sid is not None
    await twilio.report(message.sid, "read", times=2)
    await runner.cleanup()
    assert [(params["MessageStatus"], good) for params, good in seen] == [
        ("sent", True),
        ("delivered", True),
        ("read", True),
        ("read", True),
    ]
    assert twilio.answers == [200] * 4
