"""What the demo sends, as data: each piece with what must become of it. The same seed gives the same plan."""

import random
from dataclasses import dataclass
from typing import Final, Literal

from services.demo import mails

Expected = Literal["accepted", "duplicate", "refused", "parked"]
NUMBER: Final = "+982191001234"
MAILBOX: Final = "help@shop.example"

FORM_FIELDS: Final = """[
{"name": "name", "label": {"fa": "نام", "en": "Name"}, "required": true, "maps_to": "name"},
{"name": "contact", "label": {"fa": "موبایل یا ایمیل", "en": "Mobile or email"}, "required": true,
 "maps_to": "address"},
{"name": "subject", "label": {"fa": "موضوع", "en": "Subject"}, "maps_to": "subject"},
{"name": "other", "label": {"fa": "موبایل یا ایمیل دیگر", "en": "Another mobile or email"}},
{"name": "message", "type": "textarea", "label": {"fa": "پیام", "en": "Message"}, "required": true,
 "max_length": 4000, "maps_to": "text"},
{"name": "answer_by", "type": "choice", "label": {"fa": "پاسخ از راه", "en": "Answer by"},
 "maps_to": "preferred_channel",
 "choices": [{"value": "sms", "label": {"fa": "پیامک", "en": "SMS"}},
 {"value": "email", "label": {"fa": "ایمیل", "en": "Email"}}]},
{"name": "news", "type": "checkbox", "label": {"fa": "خبرنامه", "en": "Newsletter"}, "maps_to": "consent"}
]"""

_CUSTOMERS: Final = (
    ("سارا احمدی", "+989121110001", "sara@example.com"),
    ("علی رضایی", "+989121110002", "ali@example.com"),
    ("Mina Karimi", "+989121110003", "mina@example.com"),
    ("Tom Baker", "+447700900123", "tom@example.org"),
    ("山田 太郎", "+819012345678", "taro@example.jp"),
    ("نیلوفر موسوی", "+989121110006", "niloofar@example.com"),
)
ADDRESSES: Final = (
    *(f"tel:{phone}" for _, phone, _ in _CUSTOMERS),
    *(f"mailto:{mail}" for _, _, mail in _CUSTOMERS),
    "mailto:mailer-daemon@mx.example.com",
)
"""Every address that the plan writes from."""

_TEXTS: Final = (
    "سلام، سفارش من هنوز نرسیده است.",
    "شمارهٔ پیگیری مرسوله را می‌خواهم لطفاً",
    "Can I still change my delivery address?",
    "فاکتور خرید دیروز را برایم بفرستید 🙏",
    "The zip of the bag is broken, what now?",
    "ساعت کاری فروشگاه در روز جمعه چیست؟",
)


@dataclass(frozen=True, slots=True)
class Sms:
    """A post of Twilio's. `is_status` goes to the status path."""

    params: dict[str, str]
    expect: Expected
    facts: int = 1
    rows: int = 1
    is_status: bool = False
    is_forged: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail over SMTP."""

    sender: str
    raw: bytes
    expect: Expected
    facts: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class FormPost:
    """A form, as JSON or as a browser posts the page; `again` repeats the post with the same token."""

    values: dict[str, str]
    expect: Expected
    facts: int = 1
    rows: int = 1
    is_page: bool = False
    again: bool = False


Piece = Sms | Letter | FormPost


def plan(seed: int) -> list[Piece]:
    """Everything, in the order in which it is sent."""
    dice = random.Random(seed)  # noqa: S311 - a demo wants to be repeated, not to be secret
    pieces: list[Piece] = [*_messages(dice), *_letters(), *_forms(dice)]
    return pieces


def _messages(dice: random.Random) -> list[Sms]:
    made: list[Sms] = []
    for number in range(36):
        _, phone, _ = _CUSTOMERS[number % len(_CUSTOMERS)]
        text = dice.choice(_TEXTS)
        made.append(_sms(dice, phone, text))
    again = [Sms(one.params, "duplicate", 0, 0) for one in dice.sample(made, 6)]
    forged = Sms(_sms(dice, "+989121110001", "Send me your password").params, "refused", 0, 0, is_forged=True)
    picture = _sms(dice, "+989121110003", "این قطعه شکسته است")
    with_picture = {
        "NumMedia": "1",
        "MediaUrl0": "https://api.twilio.example/media/ME1",
        "MediaContentType0": "image/jpeg",
    }
    stop = _sms(dice, "+447700900123", "STOP")
    opted_out = Sms({**stop.params, "OptOutType": "STOP"}, "accepted", facts=2)
    made += [Sms({**picture.params, "NumMedia": "1", **with_picture}, "accepted"), opted_out, *again, forged]
    return made + _receipts(dice)


def _sms(dice: random.Random, phone: str, text: str) -> Sms:
    sid = f"SM{dice.getrandbits(128):032x}"
    params = {
        "MessageSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "From": phone,
        "To": NUMBER,
        "Body": text,
        "NumMedia": "0",
    }
    return Sms(params, "accepted")


def _receipts(dice: random.Random) -> list[Sms]:
    """What became of a message that this number sent: out of order and repeated, as providers do."""
    sid = f"SM{dice.getrandbits(128):032x}"
    base = {"MessageSid": sid, "AccountSid": "AC" + "0" * 32, "From": NUMBER, "To": "+989121110001"}

    def receipt(status: str, expect: Expected, rows: int) -> Sms:
        facts = 1 if expect == "accepted" else 0
        return Sms({**base, "MessageStatus": status}, expect, facts=facts, rows=rows, is_status=True)

    return [
        receipt("delivered", "accepted", 1),
        receipt("sent", "accepted", 0),
        receipt("delivered", "duplicate", 0),
    ]


def _letters() -> list[Letter]:
    thread = mails.persian("sara@example.com", MAILBOX, "<order-1@example.com>")
    return [
        Letter("sara@example.com", thread, "accepted"),
        Letter("sara@example.com", mails.answer("sara@example.com", MAILBOX, "<order-1@example.com>"), "accepted"),
        Letter("taro@example.jp", mails.japanese("taro@example.jp", MAILBOX), "accepted"),
        Letter("mina@example.com", mails.with_attachments("mina@example.com", MAILBOX), "accepted"),
        Letter("", mails.bounce("niloofar@example.com", MAILBOX), "accepted", facts=2, rows=2),
        Letter("", mails.auto_reply("ali@example.com", MAILBOX), "accepted"),
        Letter("sara@example.com", thread, "duplicate", 0, 0),
        Letter("spam@example.net", mails.undecodable("spam@example.net", MAILBOX), "parked", 0, 0),
    ]


def _forms(dice: random.Random) -> list[FormPost]:
    page = {
        "name": "سارا احمدی",
        "contact": "sara@example.com",
        "message": dice.choice(_TEXTS),
        "subject": "بازگشت کالا",
    }
    return [
        FormPost(
            {"name": "علی رضایی", "contact": "0912 111 0002", "message": dice.choice(_TEXTS), "answer_by": "sms"},
            "accepted",
            2,
        ),
        FormPost(
            {"name": "Tom", "contact": "Tom@example.org", "message": dice.choice(_TEXTS), "answer_by": "email"},
            "accepted",
            2,
        ),
        FormPost(page, "accepted", is_page=True),
        FormPost(page, "duplicate", 0, 0, is_page=True, again=True),
        FormPost(
            {"name": "نیلوفر", "contact": "niloofar@example.com", "message": dice.choice(_TEXTS), "news": "on"},
            "accepted",
            2,
            is_page=True,
        ),
        FormPost(
            {
                "name": "نیلوفر",
                "contact": "0912 111 0006",
                "other": "niloofar@example.com",
                "message": dice.choice(_TEXTS),
                "answer_by": "sms",
            },
            "accepted",
            2,
        ),
        FormPost({"name": "x", "contact": "not an address", "message": ""}, "refused", 0, 0),
        FormPost(
            {"name": "bot", "contact": "bot@example.com", "message": "buy", "website": "https://x.example"},
            "parked",
            0,
            0,
        ),
    ]
