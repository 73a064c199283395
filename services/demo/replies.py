"""What the demo answers, as data: each reply with where it must go and what must become of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

Outcome = Literal["delivered", "handed off", "by fallback", "held", "in doubt", "failed", "no way"]

FALLBACK_MINUTES: Final = "0.04"
"""Of the number for short messages: two and a half seconds without a delivery, then the next way."""
UNREPORTED: Final = "+989121110006"
HANGS_UP: Final = "+819012345678"
NO_MOBILE: Final = "+989121110003"
NO_MOBILE_FAULT: Final = (21614, "'To' number is not a valid mobile number")
_QUIET_FROM, _QUIET_TO = timedelta(hours=-1), timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Reply:
    """`asked_by` with `address` finds the conversation, `by` is the channel that it must take at last.

    `to` is where it must arrive then; `in_thread` is what a mail has to answer.
    """

    who: str
    asked_by: str
    address: str
    text: str
    outcome: Outcome
    by: str = ""
    to: str = ""
    in_thread: str = ""


def replies(visitor: str) -> tuple[Reply, ...]:
    """All, in the order in which they are given; `visitor` is the address of who is in the chat."""
    sms, mail, form, chat = "sms/twilio", "email/smtp", "forms/web", "chat/widget"
    sara, ali, mina = "+989121110001", "+989121110002", NO_MOBILE
    text = "سفارش شما فردا می‌رسد."
    new = "یک کیف نو برایتان فرستادیم."
    back = "کالا را پس بفرستید."
    called = "درخواست شما ثبت شد."
    hello = "سلام، بله، جمعه‌ها هم باز هستیم."
    change, zips, color, package, stop = (
        "Yes, until tomorrow noon: where shall it go?",
        "A new bag is on its way to you.",
        "はい、交換できます。",
        "お荷物は本日発送しました。",
        "We open at nine.",
    )
    first, second = "<order-2@example.com>", "<mina-1@example.com>"
    return (
        Reply("Sara", sms, f"tel:{sara}", text, "delivered", sms, sara),
        Reply("Sara", mail, "mailto:sara@example.com", new, "handed off", mail, "sara@example.com", first),
        Reply("Ali", form, f"tel:{ali}", called, "delivered", sms, ali),
        Reply("Tom", form, "mailto:tom@example.org", change, "handed off", mail, "tom@example.org"),
        Reply("Mina", mail, "mailto:mina@example.com", zips, "handed off", mail, "mina@example.com", second),
        Reply("a visitor", chat, visitor, hello, "delivered", chat, visitor),
        Reply("Niloofar", form, f"tel:{UNREPORTED}", back, "by fallback", mail, "niloofar@example.com"),
        Reply("Taro", mail, "mailto:taro@example.jp", color, "held", mail, "taro@example.jp"),
        Reply("Taro", sms, f"tel:{HANGS_UP}", package, "in doubt", sms, HANGS_UP),
        Reply("Mina", sms, f"tel:{mina}", "The invoice is in your mailbox.", "failed", sms, mina),
        Reply("Tom", sms, "tel:+447700900123", stop, "no way"),
    )


def on_file(now: datetime) -> Mapping[str, dict[str, Any]]:
    """The preferences that are put on file, by address; Taro's night is whatever hour it is for us."""
    night = {"begins": _wall(now + _QUIET_FROM), "ends": _wall(now + _QUIET_TO)}
    return {
        "tel:+989121110001": {"channels": ["sms"], "language": "fa"},
        "mailto:sara@example.com": {"channels": ["email"], "language": "fa"},
        "mailto:mina@example.com": {"channels": ["email", "sms"]},
        "mailto:niloofar@example.com": {"channels": [], "consents": [{"channel": "email", "granted": True}]},
        "mailto:taro@example.jp": {"channels": ["email"], "time_zone": "UTC", "quiet_hours": night},
    }


def _wall(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M")
