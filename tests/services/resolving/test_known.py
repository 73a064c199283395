"""From what a form and the record said to where the answer goes."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import orjson

from channels.contract import InboundRequest, Origin
from channels.forms.web import WebForm, WebFormConfig
from schemas.customer import ConsentStated, QuietHours
from schemas.event import Event
from services.customers.on_file import OnFile, folded
from services.resolving import asked as ask
from services.resolving.known import consents, preference, stated
from services.resolving.outcome import Resolved
from services.resolving.resolve import resolve
from tests.services.resolving.given import CHANNELS, INBOX_IDS

_NOON = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
_FIELDS = [
    {"name": "contact", "label": "Number", "required": True, "maps_to": "address"},
    {"name": "way", "label": "How?", "maps_to": "preferred_channel"},
    {"name": "ok", "label": "Write to me", "type": "checkbox", "maps_to": "consent", "purpose": "service"},
    {"name": "message", "label": "What?", "type": "textarea", "maps_to": "text"},
]


def _filled(**values: str) -> ask.Asked:
    form = WebForm(
        WebFormConfig.model_validate({"token_secret": "0123456789abcdef", "fields": orjson.dumps(_FIELDS).decode()})
    )
    origin = Origin("shop", "web:contact")
    headers = (("content-type", "application/json"),)
    heard = form.parse(InboundRequest("POST", "https://x.example/f", headers, orjson.dumps(values), _NOON, origin))
    events = [
        Event(number, UUID(int=number), 1, "shop", "customers", UUID(int=1), None, _NOON, _NOON, one.fact)
        for number, one in enumerate(heard, 1)
    ]
    on_file = folded(event for event in events if isinstance(event.fact, ConsentStated))
    inboxes = tuple(
        ask.Inbox(INBOX_IDS[name], CHANNELS[name][0], name, CHANNELS[name][2], CHANNELS[name][1])
        for name in ("form", "sms", "mail")
    )
    address = heard[0].address
    return ask.Asked(
        message=ask.Message("سلام"),
        house=ask.House("Asia/Tehran", "fa"),
        inboxes=inboxes,
        question=ask.Question("form", INBOX_IDS["form"], "forms/web", address, _NOON),
        addresses=("mailto:sara@example.com",),
        stated=stated(one.fact for one in heard),
        on_file=preference(on_file),
        consents=(*consents(address, on_file), *consents("mailto:sara@example.com", on_file)),
    )


def test_a_form_is_answered_on_the_channel_that_it_asked_for() -> None:
    asked = _filled(contact="0912 111 1111", way="E-Mail", ok="true", message="Hello")
    found = resolve(asked, _NOON)
    assert isinstance(found, Resolved)
    assert (found.channel, found.address, found.code) == ("email/smtp", "mailto:sara@example.com", "stated")


def test_what_it_asked_for_needs_consent_where_it_left_no_address() -> None:
    asked = _filled(contact="0912 111 1111", way="email", message="Hello")
    found = resolve(asked, _NOON)
    assert isinstance(found, Resolved)
    assert (found.channel, found.address, found.code) == ("sms/twilio", "tel:+989121111111", "form_address")
    assert [one.code for one in found.rejected] == ["consent_missing", "one_way"]


def test_without_a_word_about_it_the_address_that_was_left_is_answered() -> None:
    asked = _filled(contact="0912 111 1111", message="Hello")
    assert asked.stated is None
    found = resolve(asked, _NOON)
    assert isinstance(found, Resolved)
    assert found.code == "form_address"


def test_what_is_on_file_is_asked_for() -> None:
    on_file = OnFile(("sms",), QuietHours(begins="22:00", ends="08:00"), "fa", "Asia/Tehran", "agent", _NOON, 3)
    assert preference(on_file) == ask.Preference(("sms",), ask.QuietHours(time(22), time(8)), "fa", "Asia/Tehran")
    asked = _filled(contact="0912 111 1111", message="Hello")
    night = _NOON + timedelta(hours=12)
    found = resolve(replace(asked, on_file=preference(on_file)), night)
    assert isinstance(found, Resolved)
    assert (found.code, found.hold_until) == ("on_file", datetime(2026, 11, 26, 4, 30, tzinfo=UTC))
    assert found.hold_why == "Quiet hours: held until 08:00 (Asia/Tehran)."
