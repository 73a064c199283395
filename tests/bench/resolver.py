"""The resolver, as dispatch calls it: a customer with three addresses, six inboxes, preferences, consents, Persian."""

import time as clock
import timeit
from datetime import UTC, datetime, time
from uuid import uuid4

from channels.capabilities import CAPABILITIES
from services.resolving.asked import (
    Asked,
    Consent,
    House,
    Inbox,
    Message,
    Override,
    Preference,
    Question,
    QuietHours,
)
from services.resolving.resolve import resolve
from tests.bench.figures import Figure, single

_ROUNDS = 7
_CALLS = 2000
_NIGHT = datetime(2026, 11, 25, 20, tzinfo=UTC)
_NOON = datetime(2026, 11, 25, 9, tzinfo=UTC)


def resolver() -> list[Figure]:
    """Microseconds of a processor for one resolution: what else runs on the machine is not its own."""
    return [
        single("resolver, six inboxes, SMS in Persian", _measured(_asked("sms,email,fax"), _NOON), "µs", "≤ 50"),
        single("resolver, the same within quiet hours", _measured(_asked("sms,email,fax"), _NIGHT), "µs", "≤ 50"),
        single("resolver, the same with an override", _measured(_asked("email", "email"), _NOON), "µs", "≤ 50"),
    ]


def _measured(asked: Asked, now: datetime) -> list[float]:
    timer = timeit.Timer(lambda: resolve(asked, now), timer=clock.process_time)
    timer.timeit(_CALLS)
    return [timer.timeit(_CALLS) / _CALLS * 1e6 for _ in range(_ROUNDS)]


def _asked(preferred: str, override: str | None = None) -> Asked:
    inboxes = tuple(Inbox(uuid4(), channel, channel, "", able) for channel, able in CAPABILITIES.items())
    mine = {inbox.channel: inbox for inbox in inboxes}
    return Asked(
        message=Message("سلام، سفارش شما فردا پیش از ظهر به نشانی شما می‌رسد. " * 4),
        house=House("Asia/Tehran", "fa", QuietHours(time(22), time(8))),
        inboxes=inboxes,
        question=Question("message", mine["sms/twilio"].inbox_id, "sms/twilio", "tel:+989121234567", _NOON),
        addresses=("tel:+989121234567", "mailto:sara@example.com", "chat:v.1"),
        on_file=Preference(tuple(preferred.split(",")), QuietHours(time(22), time(8)), "fa", "Asia/Tehran"),
        consents=(
            Consent("mailto:sara@example.com", "email", "service", granted=True, stated_at=_NOON),
            Consent("tel:+989121234567", "sms", "marketing", granted=False, stated_at=_NOON),
            Consent("chat:v.1", None, "any", granted=True, stated_at=_NOON),
        ),
        override=None if override is None else Override(override, "they asked for it on the phone"),
    )
