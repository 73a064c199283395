"""Who writes by SMS and mail, and what becomes of answers to them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.demo.twilio import Mode
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.flows.answers.provider import TROUBLES
from tests.flows.doors.opened import AUTH_TOKEN, MAILBOX, NUMBER, TENANT, Doors, Message
from tests.flows.installation import Installation
from tests.providers.twilio import ACCOUNT, KEY, KEY_SECRET, TOKEN

_REFUSED: Final = tuple(f"+1500555000{digit}" for digit in (1, 2, 3, 4, 9))
"""Numbers that Twilio's test credentials refuse."""
_MESSAGES_EACH: Final = 10
_FEWEST: Final = 48
_RATE: Final = "100"


@dataclass(frozen=True)
class Crowd:
    """What each customer writes, and how the provider behaves towards their number."""

    lanes: list[list[Message]]
    moods: Mapping[str, Mode]


def crowd(seed: int, count: int, *, bounces: bool) -> Crowd:
    """So many messages. Half of the customers write by mail; of those a fifth cannot be answered, with `bounces`."""
    chance = random.Random(f"crowd {seed}")  # noqa: S311 - the same each time
    customers = max(_FEWEST, count // _MESSAGES_EACH)
    addresses = [_address(lane, bounces=bounces) for lane in range(customers)]
    lanes: list[list[Message]] = [[] for _ in addresses]
    for n in range(count):
        lane = n if n < customers else chance.randrange(customers)
        number = len(lanes[lane])
        text = f"{seed}/{lane}/{number}/{chance.getrandbits(64):016x}"
        lanes[lane].append(Message("mail" if lane % 2 else "sms", addresses[lane], number, text))
    numbers = [one.removeprefix("tel:") for one in addresses if one.startswith("tel:")]
    return Crowd(lanes, {number: TROUBLES[n % len(TROUBLES)] for n, number in enumerate(numbers)})


def _address(lane: int, *, bounces: bool) -> str:
    if lane % 2:
        return f"mailto:customer{lane}@{'nowhere.example' if bounces and lane % 10 == 3 else 'example.com'}"
    refused = lane // 2 - 3
    return f"tel:{_REFUSED[refused]}" if 0 <= refused < len(_REFUSED) else f"tel:+98912{lane:07}"


def open_doors(up: Installation, api_base: str, smtp_port: int) -> Doors:
    """A number whose provider is at `api_base`, and a mailbox whose mail leaves by a server at `smtp_port`."""
    found = up.endpoints
    host, _, port = found["smtp"].rpartition(":")
    sms = _opened(up.settings, api_base, smtp_port)
    return Doors(found["http"], (host, int(port)), f"/hooks/sms/twilio/{sms}", "")


def _opened(settings: Settings, api_base: str, smtp_port: int) -> str | None:
    number = {"account_sid": ACCOUNT, "api_key": KEY, "api_base": api_base, "rate_per_second": _RATE}
    # What it posts is signed with another token than what it reports.
    tokens = {"auth_token": AUTH_TOKEN, "auth_token_previous": TOKEN, "api_secret": KEY_SECRET}
    mailbox = {"smtp_host": "127.0.0.1", "smtp_port": str(smtp_port), "smtp_security": "none"}
    mailbox |= {"plus_addressing": "on", "rate_per_second": _RATE}
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(TENANT, "Acme"))
        tenancy.add_inbox(TENANT, NewInbox("email/smtp", "mail", MAILBOX, mailbox))
        return tenancy.add_inbox(TENANT, NewInbox("sms/twilio", "sms", NUMBER, number, tokens)).key
