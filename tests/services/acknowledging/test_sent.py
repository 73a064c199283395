"""The whole way out: asked for here, and sent by dispatch over real wires."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from email import message_from_bytes
from email.policy import default

from channels.email import automatic, mime, smtp_facts
from services.dispatch import role
from services.settings import Settings
from services.tenancy.store import Tenancy
from tests.providers import twilio as stand_in
from tests.providers.twilio import ACCOUNT, TOKEN
from tests.services.acknowledging.watch import acknowledging, first_reference, mail, said, switch
from tests.services.answering.shop import Shop, sms
from tests.services.conversations.deciding import until
from tests.services.wires.script import scripted


async def test_a_mail_says_that_a_machine_wrote_it_and_its_echo_is_told_nothing(shop: Shop) -> None:
    switch(shop, shop.mail_inbox)
    async with scripted() as server, acknowledging(shop.settings) as watch:
        outlet = {"smtp_host": "127.0.0.1", "smtp_port": str(server.port), "smtp_security": "none"}
        with Tenancy(shop.settings) as tenancy:
            tenancy.change_inbox("shop", shop.mail_inbox, outlet, {})
        async with _dispatching(shop.settings):
            await shop.hear_on(shop.mail_inbox, mail("M1"))
            await until(lambda: len(server.taken) == 1)
        kind = automatic.classify(mime.read(server.taken[0])).kind
        written = message_from_bytes(server.taken[0], policy=default)
        assert (written["Auto-Submitted"], kind) == ("auto-replied", "auto_reply")
        assert (written["Subject"], written["In-Reply-To"]) == ("Re: My order", "<M1@example.com>")
        assert first_reference(shop.settings) in written.get_content()
        # Another house of ours, or its echo, hears a machine.
        await shop.hear_on(
            shop.mail_inbox,
            mail("M2", automatic=smtp_facts.AUTOMATIC[kind], address="mailto:echo@example.com"),
            mail("M3", automatic=smtp_facts.AUTOMATIC[kind], references=("M1@example.com",)),
        )
        await watch.seen()
    assert len(await said(shop)) == 1


async def test_a_short_message_is_one(shop: Shop) -> None:
    switch(shop)
    async with stand_in.running() as twilio, acknowledging(shop.settings):
        at_twilio = {"api_base": twilio.base, "account_sid": ACCOUNT}
        with Tenancy(shop.settings) as tenancy:
            tenancy.change_inbox("shop", shop.house.inboxes["shop"], at_twilio, {"auth_token": TOKEN})
        async with _dispatching(shop.settings):
            await shop.hear(sms("S1"))
            await until(lambda: len(twilio.made) == 1)
            await until(lambda: shop.types("outbound")[-1] == "handed_off")
    assert twilio.made[0]["To"] == "+989121234567"
    assert first_reference(shop.settings) in twilio.made[0]["Body"]
    assert shop.types("cases") == ["opened"]


@contextlib.asynccontextmanager
async def _dispatching(settings: Settings) -> AsyncGenerator[None]:
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(role.run(settings, stop, ready.set))
    try:
        yield
    finally:
        stop.set()
        await running
