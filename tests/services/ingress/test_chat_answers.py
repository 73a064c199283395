"""What we say to visitors comes through their sockets once, in its place; what they have seen of it is a receipt."""

import json
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest

from channels.contract import Origin
from schemas.outbound import MessageAsked, Said
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.erase import erase
from services.settings import Settings
from tests.services.ingress.chats import Chats, Visitor, running_chats, visit
from tests.services.ingress.records import answer_of_an_agent, receipts, save, stream, subject_of, way

RECEIPTS = "SELECT count(*) FROM record.facts WHERE type = 'receipt.reported'"


@pytest.fixture
async def chats(settings: Settings) -> AsyncGenerator[Chats]:
    async with running_chats(settings, edges=2) as made:
        yield made


async def saw(visitor: Visitor, number: int, **more: bool) -> None:
    await visitor.socket.send(json.dumps({"t": "seen", "number": number, **more}))


def receipt_of(message_id: UUID, state: str, visitor: Visitor) -> tuple[UUID, str, str]:
    return Origin("shop", "widget:Shop site").derive(str(message_id), "interaction"), state, f"chat:v.{visitor.name}"


async def test_what_is_seen_is_told_once_each_by_whatever_socket(chats: Chats) -> None:
    async with visit(chats) as sara, visit(chats, sara.name, edge=1) as elsewhere:
        await sara.writes("Where is my order?")
        first, second = await answer_of_an_agent(chats, f"chat:v.{sara.name}", "On its way.", "It is there at noon.")
        for tab in (sara, elsewhere):
            await tab.hears()
        assert [(await sara.hears())["number"], (await elsewhere.hears())["text"]] == [3, "On its way."]
        await saw(sara, 2)
        await saw(sara, 2)
        await chats.until(f"SELECT ({RECEIPTS}) = 1")
        await saw(elsewhere, 3)
        await saw(sara, 3, read=True)
        await saw(sara, 3, read=True)
        await saw(sara, 3)
        # Frames of a socket are heard one after the other: whatever they brought is there when this has its ack.
        assert [(await sara.writes("Thanks"))["number"], (await elsewhere.hears())["text"]][0] == 4
        await chats.until(f"SELECT ({RECEIPTS}) >= 4")
        told = await receipts(chats)
    states = [(message, state) for message in (first, second) for state in ("delivered", "read")]
    assert sorted(told) == sorted(receipt_of(message, state, sara) for message, state in states)
    async with visit(chats, sara.name, after=4, edge=1) as later:
        assert later.welcome == {"t": "welcome", "visitor": sara.name, "last": 4, "read": 3}
        await saw(later, 4, read=True)
        await later.writes("once more")
    assert len(await receipts(chats)) == 4


async def test_what_is_read_was_delivered_and_nothing_can_be_seen_before_it_is_sent(chats: Chats) -> None:
    async with visit(chats) as sara:
        await saw(sara, 2)
        await sara.writes("one")
        (message_id,) = await answer_of_an_agent(chats, f"chat:v.{sara.name}", "two")
        await sara.hears()
        await saw(sara, 99, read=True)
        await saw(sara, 2)
        await sara.writes("three")
        assert await receipts(chats) == [receipt_of(message_id, "read", sara)]
        for nonsense in ({}, {"number": "2"}, {"number": True}, {"number": -1}, {"number": 2, "read": 1}):
            await sara.socket.send(json.dumps({"t": "seen", **nonsense}))
            assert (await sara.hears())["code"] == "malformed"


async def test_much_that_was_missed_is_confirmed_by_one_word(chats: Chats) -> None:
    async with visit(chats) as sara:
        await sara.writes("hello")
    message_ids = await answer_of_an_agent(chats, f"chat:v.{sara.name}", *map(str, range(230)))
    async with visit(chats, sara.name, after=1) as later:
        assert [(await later.hears())["text"] for _ in message_ids] == list(map(str, range(230)))
        await saw(later, 231, read=True)
        await later.writes("all read")
    assert await receipts(chats) == [receipt_of(one, "read", sara) for one in message_ids]


async def test_an_answer_to_a_mail_comes_into_the_chat(chats: Chats) -> None:
    async with visit(chats) as sara:
        await sara.writes("hello")
        await answer_of_an_agent(
            chats, f"chat:v.{sara.name}", "Your mail is answered.", asked_at="mailto:sara@x.example"
        )
        assert (await sara.hears())["text"] == "Your mail is answered."
        await answer_of_an_agent(chats, f"chat:v.{'b' * 26}", "To nobody.", asked_at="mailto:sara@x.example")
        assert (await sara.writes("thanks"))["number"] == 3


async def test_only_what_was_handed_off_to_the_chat_is_a_line_and_once(chats: Chats) -> None:
    async with visit(chats) as sara:
        await sara.writes("hello")
        address = f"chat:v.{sara.name}"
        subject = await subject_of(chats, address)

        def asked(message_id: UUID, text: str) -> MessageAsked:
            return MessageAsked(
                message_id=message_id, address_id=subject.address_id, personal=Said(address=address, text=text)
            )

        elsewhere, here, begun = uuid4(), uuid4(), uuid4()
        by_sms = way(chats, elsewhere, "tel:+989121234567", "sms/twilio")
        await save(chats, stream(elsewhere, asked(elsewhere, "as a short message"), *by_sms, subject=subject))
        await save(chats, stream(begun, asked(begun, "not yet"), *way(chats, begun, address)[:2], subject=subject))
        await save(chats, stream(here, asked(here, "here"), *way(chats, here, address), subject=subject))
        assert (await sara.hears())["text"] == "here"
        # Nobody confirmed it: it goes the next way too, and then comes here once more.
        again = way(chats, here, "tel:+989121234567", "sms/twilio", attempt=2)
        await save(chats, stream(here, *again, subject=subject, after=4))
        await save(chats, stream(here, *way(chats, here, address, attempt=3)[1:], subject=subject, after=7))
        assert (await sara.writes("bye"))["number"] == 3
        await save(chats, stream(begun, way(chats, begun, address)[2], subject=subject, after=3))
        late = await sara.hears()
        assert (late["number"], late["from"], late["text"]) == (4, "agent", "not yet")
    async with visit(chats, sara.name, edge=1) as later:
        assert [(await later.hears())["text"] for _ in range(4)] == ["hello", "here", "bye", "not yet"]


async def test_an_answer_that_was_changed_in_the_record_holds_nobody_up(chats: Chats) -> None:
    async with visit(chats) as sara, visit(chats) as reza:
        await sara.writes("hello")
        await reza.writes("hello")
        subject = await subject_of(chats, f"chat:v.{sara.name}")
        forged = uuid4()
        asked = MessageAsked(
            message_id=forged, address_id=subject.address_id, personal=Said(address=f"chat:v.{sara.name}", text="x")
        )
        decided = stream(forged, asked, *way(chats, forged, f"chat:v.{sara.name}"), subject=subject)
        await save(chats, decided[:3])
        chats.run(
            f"UPDATE record.decisions SET personal = '\\x00' WHERE originator_id = '{forged}' AND personal IS NOT NULL"
        )
        await save(chats, decided[3:])
        await answer_of_an_agent(chats, f"chat:v.{reza.name}", "for Reza")
        assert (await reza.hears())["text"] == "for Reza"
        assert (await sara.writes("still here"))["number"] == 2


async def test_an_erased_visitor_is_told_nothing_of_before(chats: Chats, settings: Settings) -> None:
    async with visit(chats) as sara:
        await sara.writes("one")
        await answer_of_an_agent(chats, f"chat:v.{sara.name}", "two")
        await sara.hears()
    async with pool(settings.record_url) as record, pool(settings.keys_url) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        await erase(settings, record, keys, ring, tenant="shop", address=f"chat:v.{sara.name}")
    async with visit(chats, sara.name, after=2) as later:
        assert later.welcome["last"] == 0
        assert await later.is_told_nothing()
        assert (await later.writes("anew"))["number"] == 1
