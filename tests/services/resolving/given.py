"""Rows of the decision table read into what the resolver is asked.

`ask=sms` the question's channel, `asked=20` minutes before; `stated=`, `file=` preferences; `knows=T,M` addresses;
`allows=T,M/chat`, `forbids=T:-5` (minutes to the question) consents; `inboxes=`; `closed=`; `heard=W:-1500`;
`quiet=`, `house-quiet=`, `stated-quiet=` as 22-8; `zone=`; `at=` Tehran's clock; `text=`, `files=`, `html`, `call`;
`auto`; `override=mail`, `purpose=`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from channels.capabilities import CAPABILITIES
from channels.contract import Capabilities
from schemas.interaction import Kind
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

ADDRESSES: Final = {
    "T": "tel:+989121111111",
    "T2": "tel:+989122222222",
    "M": "mailto:sara@example.com",
    "C": "chat:v.sara",
    "W": "whatsapp:+989121111111",
    "G": "telegram:77",
    "F": "form:0d1f",
    "B": "sms:BANK",
}
_CHAT: Final = Capabilities(
    text_limit=4096,
    receipts=frozenset({"delivered", "read"}),
    attachments=True,
    starts_conversations=False,
    reaches=frozenset({"telegram"}),
)
_WHATSAPP: Final = Capabilities(
    text_limit=4096,
    receipts=frozenset({"delivered", "read"}),
    attachments=True,
    starts_conversations=False,
    reply_window_seconds=86_400,
    reaches=frozenset({"whatsapp"}),
)
CHANNELS: Final[dict[str, tuple[str, Capabilities, str]]] = {
    "sms": ("sms/twilio", CAPABILITIES["sms/twilio"], "+982100"),
    "sms2": ("sms/twilio", CAPABILITIES["sms/twilio"], "+982200"),
    "smswa": ("sms/twilio", CAPABILITIES["sms/twilio"], "whatsapp:+982100"),
    "mail": ("email/smtp", CAPABILITIES["email/smtp"], "help@example.com"),
    "imap": ("email/imap", CAPABILITIES["email/imap"], "old@example.com"),
    "chat": ("chat/widget", CAPABILITIES["chat/widget"], ""),
    "voice": ("voice/twilio", CAPABILITIES["voice/twilio"], "+982100"),
    "form": ("forms/web", CAPABILITIES["forms/web"], ""),
    "telegram": ("chat/telegram", _CHAT, "@help"),
    "whatsapp": ("chat/whatsapp", _WHATSAPP, "+982100"),
}
ASKED_BY: Final[dict[str, tuple[Kind, str, str]]] = {
    "sms": ("message", "sms", "T"),
    "sender": ("message", "sms", "B"),
    "smswa": ("message", "smswa", "W"),
    "mail": ("message", "mail", "M"),
    "imap": ("message", "imap", "M"),
    "chat": ("message", "chat", "C"),
    "call": ("call", "voice", "T"),
    "form": ("form", "form", "F"),
    "form+tel": ("form", "form", "T"),
    "form+mail": ("form", "form", "M"),
    "telegram": ("message", "telegram", "G"),
    "whatsapp": ("message", "whatsapp", "W"),
}
INBOX_IDS: Final = {name: uuid5(UUID(int=0), name) for name in CHANNELS}
NAMES: Final = {inbox_id: name for name, inbox_id in INBOX_IDS.items()}
_TEHRAN: Final = ZoneInfo("Asia/Tehran")


@dataclass(frozen=True)
class Given:
    words: Mapping[str, str] = field(default_factory=dict[str, str])

    def all(self, name: str) -> list[str]:
        return self.words[name].split(",") if name in self.words else []

    @property
    def now(self) -> datetime:
        hour, _, minute = self.words.get("at", "12:00").partition(":")
        return datetime(2026, 11, 25, int(hour), int(minute), tzinfo=_TEHRAN)


def given(row: str) -> tuple[Asked, datetime]:
    """What the resolver is asked, and when."""
    row_words = (word.partition("=") for word in row.split())
    words = Given({name: value for name, _, value in row_words})
    question = _question(words)
    override = words.words.get("override")
    asked = Asked(
        message=Message(
            text=words.words.get("script", "a") * int(words.words.get("text", "20")),
            html="<p>a</p>" if "html" in words.words else None,
            attachments=int(words.words.get("files", "0")),
            as_call="call" in words.words,
            automatic="auto" in words.words,
        ),
        house=House("Asia/Tehran", "fa", _quiet(words, "house-quiet")),
        inboxes=tuple(_inbox(name, is_open=name not in words.all("closed")) for name in words.all("inboxes")),
        question=question,
        addresses=tuple(ADDRESSES[name] for name in words.all("knows")),
        stated=_preference(words, "stated"),
        on_file=_preference(words, "file"),
        consents=tuple(_consents(words)),
        heard_at=dict(_heard(words)),
        override=None if override is None else Override(override, "they asked me on the phone"),
    )
    return asked, words.now


def _question(words: Given) -> Question | None:
    if "ask" not in words.words:
        return None
    kind, inbox, address = ASKED_BY[words.words["ask"]]
    asked_at = words.now - timedelta(minutes=int(words.words.get("asked", "20")))
    return Question(kind, INBOX_IDS[inbox], CHANNELS[inbox][0], ADDRESSES[address], asked_at)


def _inbox(name: str, *, is_open: bool) -> Inbox:
    channel, able, address = CHANNELS[name]
    return Inbox(INBOX_IDS[name], channel, name.capitalize(), address, able, is_open)


def _preference(words: Given, name: str) -> Preference | None:
    quiet = _quiet(words, "quiet" if name == "file" else f"{name}-quiet")
    zone = words.words.get("zone") if name == "file" else None
    language = words.words.get("language") if name == "file" else None
    if name not in words.words and not quiet and not zone and not language:
        return None
    return Preference(tuple(words.all(name)), quiet, language, zone)


def _quiet(words: Given, name: str) -> QuietHours | None:
    if name not in words.words:
        return None
    begins, _, ends = words.words[name].partition("-")
    return QuietHours(time(int(begins)), time(int(ends)))


def _consents(words: Given) -> list[Consent]:
    asked_at = words.now - timedelta(minutes=int(words.words.get("asked", "20")))
    found: list[Consent] = []
    for name in ("allows", "forbids"):
        for one in words.all(name):
            what, _, minutes = one.partition(":")
            address, _, channel = what.partition("/")
            at = asked_at + timedelta(minutes=int(minutes or "-60"))
            purpose = words.words.get("purpose", "service")
            found.append(Consent(ADDRESSES[address], channel or None, purpose, name == "allows", at))
    return found


def _heard(words: Given) -> list[tuple[tuple[UUID, str], datetime]]:
    found = [one.split(":") for one in words.all("heard")]
    return [
        ((INBOX_IDS[inbox], ADDRESSES[address]), words.now + timedelta(minutes=int(minutes)))
        for inbox, address, minutes in found
    ]
