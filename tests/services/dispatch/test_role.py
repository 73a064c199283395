"""The role as it runs: Twilio's own sender over the real wire."""

import asyncio

from services import roles
from services.dispatch import role
from services.settings import Settings
from services.tenancy.store import Tenancy
from tests.providers import twilio as stand_in
from tests.providers.twilio import ACCOUNT, TOKEN
from tests.services.dispatch.asking import asking


async def test_a_short_message_goes_to_twilio(settings: Settings) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    async with stand_in.running() as twilio, asking(settings, api_base=twilio.base, account_sid=ACCOUNT) as house:
        with Tenancy(settings) as tenancy:
            tenancy.change_inbox("shop", house.inboxes["sms/twilio"], {}, {"auth_token": TOKEN})
        running = asyncio.create_task(role.run(settings, stop, ready.set))
        message_id = await house.ask("سلام", await house.open())
        await house.until_told(message_id, "started", "handed_off")
        stop.set()
        await running
    made = twilio.made[0]
    assert (made["To"], made["From"], made["Body"]) == ("+989121234567", "+982112345678", "سلام")
    assert made["StatusCallback"].endswith("/status")


def test_it_is_one_of_the_core_s_roles() -> None:
    assert "dispatch" in roles.named(["core"])
