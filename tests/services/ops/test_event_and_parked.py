"""`tamas event` and `parked` on what ingress wrote."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from channels.contract import InboundRequest, Origin
from channels.sms.twilio import Twilio, TwilioConfig
from schemas.reference import reference
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.append import Appender, Parked
from services.record.facts import event_id_of, fact_row
from services.record.raw import RawRow, new_raw_id, sealed
from services.settings import Settings
from tests.services.ops.cli import Tamas

BODY = b"MessageSid=SM0123456789abcdef0123456789abcdef&From=%2B989121234567&Body=%D8%B3%D9%84%D8%A7%D9%85"
REQUEST = InboundRequest(
    "POST",
    "https://hub.example.com/hooks/sms/twilio/k3y",
    (("content-type", "application/x-www-form-urlencoded"),),
    BODY,
    datetime.now(UTC),
    Origin("acme", "twilio:+982191000000"),
)
INBOX = UUID("0190b7a2-0000-7000-8000-000000000001")
HTTP = b"POST https://hub.example.com/hooks/sms/twilio/k3y HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded"


async def write(settings: Settings, *, parked: bool) -> UUID:
    """One request with its fact, or parked; returns the event's or the parked row's id."""
    raw_id = new_raw_id()
    (heard,) = Twilio(TwilioConfig.model_validate({"auth_token": "x"})).parse(REQUEST)
    async with pool(settings.keys_url) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        cipher = await ring.day("acme", REQUEST.received_at.date())
        subject = (await ring.subjects({("acme", heard.address)}))["acme", heard.address]
    state = "parked" if parked else "read"
    raw = RawRow(raw_id, "acme", INBOX, REQUEST.received_at, state, sealed(REQUEST, raw_id, cipher))
    appender = await Appender.open(settings.record_url)
    event_id, parked_id = event_id_of(REQUEST.origin, heard), uuid4()
    await appender.new_of([(event_id, 1, "acme", raw_id)])
    row = fact_row(
        heard, origin=REQUEST.origin, inbox_id=INBOX, raw_id=raw_id, subject=subject, received_at=REQUEST.received_at
    )
    reasons = [Parked(raw, parked_id, "parse", "No field From.")] if parked else []
    await appender.commit([] if parked else [row], [raw], parked=reasons)
    await appender.close()
    return parked_id if parked else event_id


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    made = Tamas(settings)
    made("tenant", "add", "acme", "--name", "Acme")
    return made


def test_an_event_is_found_by_its_id_and_its_reference(tamas: Tamas, settings: Settings) -> None:
    event_id = asyncio.run(write(settings, parked=False))
    row = tamas("event", event_id, "--json").row()
    assert (row["event_id"], row["type"], row["tenant"]) == (str(event_id), "interaction.received", "acme")
    assert row["fact"]["personal"]["text"] == "سلام"
    assert tamas("event", reference(event_id).lower(), "--json").row() == row
    assert "سلام" in tamas("event", event_id).out
    assert tamas("event", event_id, "--raw").raw == HTTP + b"\r\n\r\n" + BODY
    assert tamas("event", event_id, "--tenant", "other").code == 1


def test_a_decision_is_an_event_too(tamas: Tamas, settings: Settings) -> None:
    with psycopg.connect(settings.record_url) as connection:
        row = connection.execute("SELECT event_id, position FROM record.decisions").fetchone()
    assert row is not None
    found = tamas("event", row[0], "--json").row()
    assert (found["position"], found["fact"]["type"]) == (row[1], "tenant.registered")
    assert tamas("event", row[0], "--raw").code == 1


@pytest.mark.parametrize("written", ["0190b7a2-0000-7000-8000-000000000009", "7K3M-2QXD", "nonsense"])
def test_what_is_not_there(tamas: Tamas, written: str) -> None:
    done = tamas("event", written)
    assert (done.code, done.out) == (1, "")
    assert done.err


def test_a_request_whose_day_was_dropped(tamas: Tamas, settings: Settings) -> None:
    event_id = asyncio.run(write(settings, parked=False))
    with psycopg.connect(settings.keys_url) as connection:
        connection.execute("DELETE FROM keys.days")
    done = tamas("event", event_id, "--raw")
    assert (done.code, done.raw) == (1, b"")
    assert "cannot be opened any more" in done.err
    assert tamas("event", event_id).code == 0


def test_parked_is_listed_shown_and_retried(tamas: Tamas, settings: Settings) -> None:
    parked_id = asyncio.run(write(settings, parked=True))
    assert tamas("parked", "list", "--json").row()["reason"] == "No field From."
    assert "No field From." in tamas("parked", "list").out
    assert tamas("parked", "show", parked_id, "--json").row()["parked_id"] == str(parked_id)
    assert tamas("parked", "show", parked_id, "--raw").raw.endswith(BODY)
    assert tamas("parked", "retry", parked_id).code == 0
    with psycopg.connect(settings.record_url) as connection:
        waiting = connection.execute("SELECT tenant, inbox_id, tries FROM service.pending").fetchall()
    assert waiting == [("acme", INBOX, 0)]
    assert tamas("parked", "retry", parked_id).code == 1
    assert tamas("parked", "list", "--json").rows() == []
    assert tamas("parked", "list", "--every", "--json").row()["state"] == "retried"


def test_all_at_once_but_only_of_the_tenant(tamas: Tamas, settings: Settings) -> None:
    asyncio.run(write(settings, parked=True))
    assert "0 handed" in tamas("parked", "retry", "--all", "--tenant", "other").err
    assert "1 handed" in tamas("parked", "retry", "--all", "--tenant", "acme").err
    assert tamas("parked", "retry").code == 2


def test_what_is_discarded_says_why(tamas: Tamas, settings: Settings) -> None:
    parked_id = asyncio.run(write(settings, parked=True))
    assert tamas("parked", "discard", parked_id).code == 2
    assert tamas("parked", "discard", parked_id, "--reason", "spam").code == 0
    assert tamas("parked", "show", parked_id, "--json").row()["resolution"] == "spam"
    assert tamas("parked", "discard", parked_id, "--reason", "again").code == 1
    assert tamas("parked", "show", uuid4()).code == 1


def test_a_request_that_was_dropped_cannot_be_retried(tamas: Tamas, settings: Settings) -> None:
    parked_id = asyncio.run(write(settings, parked=True))
    with psycopg.connect(settings.record_url) as connection:
        connection.execute("DELETE FROM record.raw")
    done = tamas("parked", "retry", parked_id)
    assert done.code == 1
    assert "dropped" in done.err
    assert tamas("parked", "show", parked_id, "--json").row()["state"] == "parked"
