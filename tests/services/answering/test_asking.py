"""An answer is asked for: where it goes, what is recorded, and what is refused."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from schemas.conversation import ConversationAnswered
from schemas.outbound import MessageAsked, MessageResolved
from services.answering.asking import Attached, Draft, NotThere, NoWay
from services.blobs import BlobStore
from services.conversations.commands import Close, Reopen, Take
from services.database import pool
from services.record.erase import erase
from services.record.errors import Refused
from services.record.reader import Reader, event_of
from services.resolving.outcome import Resolved
from services.resolving.told import resolved
from tests.services.answering.shop import SARA, Shop, consents, form, prefers, sms
from tests.services.api.house import ALI
from tests.services.conversations.deciding import rows


async def test_an_answer_is_one_transaction_in_its_order(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of, "به زودی", agent_id=(agent := uuid4()))
    assert (asked.resolution.channel, asked.resolution.address) == ("sms/twilio", ALI)
    assert asked.resolution.code == "question"
    assert [one.code for one in asked.resolution.rejected] == ["no_address"]
    saved = rows(
        shop.settings,
        "SELECT type, originator_id, recorded_at FROM record.decisions ORDER BY position DESC LIMIT 3",
    )
    assert [(one[0], one[1]) for one in reversed(saved)] == [
        ("message.asked", asked.message_id),
        ("message.resolved", asked.message_id),
        ("conversation.answered", of),
    ]
    assert len({one[2] for one in saved}) == 1, "recorded at one moment"
    assert rows(shop.settings, "SELECT max(position) FROM record.decisions") == [(asked.position,)]
    said = next(fact for fact in shop.facts("outbound") if isinstance(fact, MessageAsked))
    assert (said.conversation_id, said.agent_id, said.undo_until, said.automatic) == (of, agent, None, False)
    assert said.answers is not None
    answered = shop.facts("cases")[-1]
    assert isinstance(answered, ConversationAnswered)
    assert answered.message_id == asked.message_id


async def test_its_words_are_sealed_under_the_key_of_who_asked(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of, Draft("به زودی", "<p>به زودی</p>", "sms", "they asked me on the phone"))
    stored = rows(shop.settings, "SELECT state, sealed_under, personal FROM record.decisions WHERE topic = 'outbound'")
    subject = await shop.ring.find("shop", ALI)
    assert subject is not None
    for state, sealed_under, personal in stored:
        assert sealed_under == subject.address_id
        for secret in ("به زودی".encode(), ALI.encode(), b"on the phone"):
            assert secret not in bytes(state) + bytes(personal)
    events = [event_of(row) for row in await Reader(shop.record, shop.ring).streams([asked.message_id])]
    said, way = events[0].fact, events[1].fact
    assert isinstance(said, MessageAsked)
    assert said.personal is not None
    assert (said.personal.address, said.personal.text, said.personal.html) == (ALI, "به زودی", "<p>به زودی</p>")
    assert (said.via, said.personal.reason) == ("sms", "they asked me on the phone")
    assert way == resolved(asked.message_id, asked.resolution)


async def test_a_form_is_answered_where_it_asked_to_be(shop: Shop) -> None:
    await shop.hear(consents("C1", SARA))
    asked_for = [form("F1", ALI, mailbox="Sara@Example.com", order="1234"), prefers("F1", ALI, ["email"])]
    of = await shop.asked_by(*asked_for)
    asked = await shop.ask(of)
    assert (asked.resolution.channel, asked.resolution.address, asked.resolution.code) == (
        "email/smtp",
        SARA,
        "stated",
    )
    assert "less_preferred" in {one.code for one in asked.resolution.rejected}


async def test_what_an_earlier_form_asked_for_is_on_file_and_not_stated_here(shop: Shop) -> None:
    await shop.hear(form("F1", ALI), prefers("F1", ALI, ["email"]), consents("C1", SARA))
    of = await shop.asked_by(form("F2", ALI, mailbox="sara@example.com"))
    assert (await shop.ask(of)).resolution.code == "on_file"


async def test_nothing_is_recorded_where_there_is_no_way(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1", ago=timedelta(hours=1)))
    await shop.hear(consents("S2", ALI, granted=False, channel="sms/twilio"))
    with pytest.raises(NoWay, match="no way to answer") as refused:
        await shop.ask(of)
    assert {one.code for one in refused.value.resolution.rejected} == {"consent_withdrawn", "no_address"}
    assert shop.facts("outbound") == []
    assert shop.types("cases") == ["opened"]


async def test_a_channel_of_ones_own_choice_needs_a_reason(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    with pytest.raises(Refused, match="Say why"):
        await shop.ask(of, Draft("x", via="sms", reason=" "))
    with pytest.raises(NoWay) as refused:
        await shop.ask(of, Draft("x", via="email", reason="they said so"))
    assert "overridden" in {one.code for one in refused.value.resolution.rejected}


async def test_a_preview_says_the_same_and_records_nothing(shop: Shop) -> None:
    of, now = await shop.asked_by(sms("S1")), datetime.now(UTC)
    before = rows(shop.settings, "SELECT count(*) FROM record.decisions")
    found = await shop.answering.preview("shop", of, Draft("Soon!"), now)
    assert isinstance(found, Resolved)
    assert rows(shop.settings, "SELECT count(*) FROM record.decisions") == before
    assert (await shop.ask(of, now=now)).resolution == found


async def test_files_are_blobs_under_the_key_of_who_asked(shop: Shop) -> None:
    of = await shop.asked_by(form("S1", SARA))
    asked = await shop.ask(of, Draft("see there", attachments=(Attached("a.txt", "text/plain", b"secret"),)))
    said = next(fact for fact in shop.facts("outbound") if isinstance(fact, MessageAsked))
    assert said.message_id == asked.message_id
    (file,) = said.attachments
    subject = await shop.ring.find("shop", SARA)
    assert subject is not None
    assert (file.media_type, file.bytes) == ("text/plain", 6)
    store = BlobStore(shop.settings.blob_url)
    assert await store.get("shop", subject, file.attachment_id) == b"secret"
    with pytest.raises(Refused, match="takes up to"):
        await shop.ask(of, Draft("x", attachments=(Attached("b", "text/plain", bytes(11 << 20)),)))
    with pytest.raises(Refused, match="Too long"):
        await shop.ask(of, Draft("x", html="y" * (300 << 10)))
    with pytest.raises(Refused, match="nothing to say"):
        await shop.ask(of, Draft("  "))
    with pytest.raises(Refused, match="half a character"):
        await shop.ask(of, Draft("x", html="\ud83d"))


async def test_what_nobody_wrote_for_this_customer_leaves_them_waiting(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of, Draft("We have it.", automatic=True))
    assert shop.types("cases") == ["opened"]
    message = await shop.answering.message("shop", asked.message_id)
    assert message is not None
    assert (message.asked.automatic, message.state) == (True, "queued")


async def test_rules_of_the_conversation_hold(shop: Shop) -> None:
    of, me, other = await shop.asked_by(sms("S1")), uuid4(), uuid4()
    taken = await shop.answering.command("shop", of, Take(other), command_id=uuid4())
    assert await shop.answering.command("shop", of, Take(other), command_id=uuid4()) == taken
    with pytest.raises(Refused, match="Another agent has taken"):
        await shop.ask(of, agent_id=me)
    now = datetime.now(UTC)
    await shop.answering.command("shop", of, Close(other, now), command_id=uuid4())
    with pytest.raises(Refused, match="is closed"):
        await shop.ask(of, agent_id=me)
    await shop.answering.command("shop", of, Reopen(me, now), command_id=uuid4())
    await shop.ask(of, agent_id=me)
    assert shop.types("cases") == ["opened", "taken", "closed", "reopened", "answered"]


async def test_another_tenants_conversation_is_not_there(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of)
    for there in ("rival", "shop"):
        with pytest.raises(NotThere):
            await shop.answering.ask(
                there, of if there == "rival" else uuid4(), Draft("x"), command_id=uuid4(), now=datetime.now(UTC)
            )
    assert await shop.answering.message("rival", asked.message_id) is None
    with pytest.raises(NotThere):
        await shop.answering.withdraw("rival", asked.message_id, command_id=uuid4(), agent_id=None)


async def test_who_is_erased_is_not_answered_and_what_we_said_is_gone(shop: Shop) -> None:
    of = await shop.asked_by(sms("S1"))
    asked = await shop.ask(of)
    async with pool(shop.settings.keys_url) as keys:
        await erase(shop.settings, shop.record, keys, shop.ring, tenant="shop", address=ALI)
    with pytest.raises(Refused, match="erased"):
        await shop.ask(of)
    message = await shop.answering.message("shop", asked.message_id)
    assert message is not None
    assert (message.asked.personal, message.resolved and message.resolved.personal) == (None, None)
    assert isinstance(message.resolved, MessageResolved)
    assert message.resolved.channel == "sms/twilio"
