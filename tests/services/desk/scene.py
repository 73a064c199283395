"""A morning at the desk of a shop: all channels, both languages, a long letter, a missed call."""

from datetime import timedelta
from typing import Any

from channels.contract import Heard, Origin
from schemas.call import CallMissed
from schemas.interaction import InteractionReceived
from tests.services.api.house import ALI, NATURAL_NAME, NOON, House, message, with_file

_LETTER = """Good morning,

the invoice of order 88213 shows the wrong amount: the second box was returned on Monday, and your colleague \
promised a corrected one.

Could you please check it and send me a corrected invoice today? Our bookkeeping closes at five.

Kind regards
Miriam Okafor"""
_SHORT: tuple[tuple[str, str, str], ...] = (
    ("tel:+989123334455", "سلام، بستهٔ من هنوز نرسیده است. کد رهگیری ۸۸۲۱۳ است.", "sms/twilio"),
    ("mailto:miriam.okafor@example.org", _LETTER, "email/smtp"),
    ("chat:v.5d41402abc4b", "Hi! Do you ship to Norway?", "chat/widget"),
    ("mailto:finn.lund@example.com", "Where can I return the shoes?", "email/smtp"),
    ("tel:+4915112345678", "Thanks, that works. One more thing: can I pay on delivery?", "sms/twilio"),
    ("mailto:ada@example.net", "I would like to change the delivery address to the office.", "forms/web"),
    ("tel:+989350000000", "لطفاً با من تماس بگیرید", "sms/twilio"),
)


async def set_up(house: House) -> None:
    """Ten conversations that wait; one of them is long, one a call that nobody took."""
    await house.say("سلام! سفارشم کجاست؟", "Order 88213, I mean.", "It was promised for yesterday.")
    await house.hear([with_file("shop", "F1", "receipt-88213.pdf", b"%PDF-1.7 " + b"x" * 48_000, "application/pdf")])
    for number, (address, text, channel) in enumerate(_SHORT, 20):
        kind: dict[str, Any] = {"channel": channel, "kind": "form" if channel == "forms/web" else "message"}
        await house.hear([message("shop", f"S{number}", text, address, NOON + timedelta(minutes=number), **kind)])
    await house.hear(_missed_call("tel:+982122334455"))


async def long_talk(house: House, count: int) -> None:
    """So many messages of one customer."""
    texts = [f"Message {number} of many: is there news?" for number in range(count)]
    for start in range(0, count, 100):
        await house.hear([
            message("shop", f"L{number}", text, ALI, NOON + timedelta(hours=2, seconds=number))
            for number, text in enumerate(texts[start : start + 100], start)
        ])  # fmt: skip


def _missed_call(address: str) -> list[Heard]:
    call = Origin("shop", NATURAL_NAME).derive("CA1", "interaction")
    begun = InteractionReceived.model_validate(
        {"interaction_id": call, "kind": "call", "channel": "voice/twilio", "personal": {"address": address}}
    )
    missed = CallMissed.model_validate(
        {
            "interaction_id": call,
            "channel": "voice/twilio",
            "outcome": "no_answer",
            "reported": "no-answer",
            "personal": {"address": address},
        }
    )
    at = NOON + timedelta(minutes=40)
    return [Heard("CA1", address, begun, at), Heard("CA1-missed", address, missed, at + timedelta(seconds=30))]
