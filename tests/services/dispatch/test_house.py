"""What dispatch makes of settings, files, letters, people's judgements, and of its own tables when they are lost."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from channels.contract import Blob
from schemas.conversation import ConversationOpened
from schemas.interaction import Content, InteractionReceived
from schemas.outbound import MessageFailed, MessageJudged
from services.blobs import BlobStore
from services.ops import rebuild
from services.record.decisions import Decided
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from tests.services.conversations.deciding import execute, rows, until
from tests.services.dispatch.asking import CUSTOMER, LETTER, asking, dispatching, states
from tests.services.dispatch.provider import providing

_TABLES = {
    "messages": "message_id, tenant, version, place, state, address_id, conversation_id, automatic, channel, inbox_id,"
    " round, has_next, attempt, tries, reported, fallback_at IS NULL,"
    # Whom it went to matters only where a receipt or a word of theirs is waited for.
    " CASE WHEN state = 'in_doubt' OR fallback_at IS NOT NULL THEN to_id END",
    "message_handoffs": "*",
    "early_receipts": "*",
}


def tables(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(rows(settings, f"SELECT {of} FROM service.{name}"), key=str) for name, of in _TABLES.items()}


async def test_tables_that_are_filled_again_are_as_they_were(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        of = await house.open()
        taken = [await house.ask("one", of, then=("email/smtp", LETTER)), await house.ask("two", await house.open())]
        for message_id in taken:
            await house.until_told(message_id, "started", "handed_off")
        provider.answers = [None]
        doubtful = await house.ask("doubt", await house.open(), address="tel:+989351112233")
        await house.until_told(doubtful, "started", "in_doubt")
        held = await house.ask("held", of, undo_seconds=300)
        gone = await house.ask("gone", of, undo_seconds=300)
        await until(lambda: states(settings).get(gone) == "due")
        house.withdraw(gone)
        await house.report(house.facts(taken[1])[3].receipts_as, "delivered")  # type: ignore[union-attr]
        await house.report(uuid4(), "sent", address="tel:+989360000000")
        await house.until_told(taken[1], "started", "handed_off", "reported")
        await until(lambda: gone not in states(settings) and rows(settings, "TABLE service.early_receipts") != [])
        before = tables(settings)
        assert set(states(settings).values()) == {"handed_off", "delivered", "in_doubt", "due"}
        execute(settings, "DELETE FROM service.messages")
        rebuild.run("dispatch")
        await house.ask("after", await house.open())
        await until(lambda: states(settings).keys() >= {*taken, doubtful, held})
        await until(lambda: "after" in provider.texts())
    known = {row[0] for row in before["messages"]}
    after = tables(settings)
    assert [row for row in after["messages"] if row[0] in known] == before["messages"]
    assert set(before["message_handoffs"]) <= set(after["message_handoffs"])
    assert after["early_receipts"] == before["early_receipts"]


async def test_a_letter_goes_on_with_the_letters_before_it_and_takes_its_files_along(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        said = Content(address=LETTER, text="?", subject="سفارش", message_id="2@x", references=("1@x",))
        heard = InteractionReceived(interaction_id=uuid4(), kind="message", channel="email/smtp", personal=said)
        cause = await house.hear(LETTER, heard, "email/smtp")
        subject = (await house.writer.ring.subjects({("shop", LETTER)}))["shop", LETTER]
        of, file_id = uuid4(), uuid4()
        opened = ConversationOpened(
            conversation_id=of,
            address_id=subject.address_id,
            channel="email/smtp",
            interaction_id=uuid4(),
            why="no_conversation",
            brought="message",
            state="waiting",
            since_at=datetime.now(UTC),
        )
        house.decisions.save([Decided(of, 1, "shop", opened, causation_id=cause)])
        await BlobStore(settings.blob_url).put("shop", subject, [Blob(file_id, b"a file")])
        ask: Any = {"address": LETTER, "channel": "email/smtp"}
        await house.until_told(await house.ask("hi", of, attachment=(file_id, "a.txt"), **ask), "started", "handed_off")
        lost = await house.ask("hi", of, attachment=(uuid4(), "b.txt"), **ask)
        await house.until_told(lost, "failed")
    post = provider.posts[0]
    assert (post["subject"], post["references"], post["files"]) == ("سفارش", ["<1@x>", "<2@x>"], ["a file"])
    assert len(provider.posts) == 1


async def test_a_person_settles_a_doubt(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [None]
        message_id = await house.ask("perhaps", await house.open())
        await house.until_told(message_id, "started", "in_doubt")
        house.decisions.save([Decided(message_id, 5, "shop", MessageJudged(message_id=message_id, judged="not_sent"))])
        await house.until_told(message_id, "started", "in_doubt", "judged", "started", "handed_off")
    assert provider.texts() == ["perhaps", "perhaps"]


async def test_two_receipts_that_nothing_explains_settle_no_doubt(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [None]
        message_id = await house.ask("perhaps", await house.open())
        await house.until_told(message_id, "started", "in_doubt")
        await house.report(uuid4(), "delivered", address="tel:+989350000000")
        await house.report(uuid4(), "delivered", channel="email/smtp")
        await asyncio.sleep(1.5)
        assert house.told(message_id)[2:] == ["started", "in_doubt"]


async def test_a_closed_inbox_sends_nothing_and_says_so(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        message_id = await house.ask("closed", await house.open())
        with Tenancy(settings) as tenancy:
            tenancy.disable("shop", house.inboxes["sms/twilio"])
        async with dispatching(settings, provider):
            await house.until_told(message_id, "failed")
        failed = house.facts(message_id)[-1]
        assert isinstance(failed, MessageFailed)
        assert failed.why == "The inbox 'Help' is closed."
    assert provider.posts == []


async def test_what_nobody_wrote_fails_quietly(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        provider.answers = [400]
        of = await house.open()
        message_id = await house.ask("we have it", of, automatic=True)
        await house.until_told(message_id, "started", "refused", "failed")
        assert len(house.decisions.load([of])[of]) == 2


async def test_a_provider_that_is_away_is_spared(settings: Settings) -> None:
    async with asking(settings, rate_per_second="1000") as house, providing() as provider:
        provider.answers = [503] * 200
        await house.ask_all([("x", one) for one in await house.open_all(100)])
        async with dispatching(settings, provider):
            await until(lambda: len(provider.posts) >= 5)
            await asyncio.sleep(1.0)
        assert len(provider.posts) <= 64
        assert "due" in states(settings).values()
        assert rows(settings, "SELECT count(*) FROM service.messages WHERE state = 'due' AND attempt = 0") >= [(36,)]


async def test_a_message_with_a_fact_from_a_newer_version_waits_for_that_version(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        message_id = await house.ask("later", await house.open(), undo_seconds=1)
        house.withdraw(message_id)
        kept = rows(settings, "SELECT state FROM record.decisions WHERE type = 'message.withdrawn'")
        newer = "convert_to(replace(convert_from(state, 'utf8'), 'withdrawn', 'postponed'), 'utf8')"
        execute(settings, f"UPDATE record.decisions SET state = {newer} WHERE type = 'message.withdrawn'")
        async with dispatching(settings, provider):
            other = await house.ask("now", await house.open())
            await house.until_told(other, "started", "handed_off")
            await asyncio.sleep(1.2)
            assert rows(settings, "SELECT subject FROM service.undecided") == [(message_id,)]
        assert provider.texts() == ["now"]
        execute(settings, "UPDATE record.decisions SET state = %s WHERE type = 'message.withdrawn'", kept[0])
        async with dispatching(settings, provider):
            await until(lambda: rows(settings, "SELECT subject FROM service.undecided") == [])
        assert states(settings) == {other: "handed_off"}


async def test_the_house_s_own_settings_are_checked_and_are_nothing_to_the_channel(settings: Settings) -> None:
    async with asking(settings, rate_per_second="3", fallback_minutes="0") as house:
        assert house.inboxes
    with Tenancy(settings) as tenancy, pytest.raises(Refused, match="rate_per_second must be a number"):
        tenancy.add_inbox(
            "shop", NewInbox("sms/twilio", "B", "+982187654321", {"rate_per_second": "x"}, {"auth_token": "a"})
        )


async def test_what_is_put_back_from_the_wire_is_not_sent_again(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider:
        async with dispatching(settings, provider):
            message_id = await house.ask("once", await house.open())
            await house.until_told(message_id, "started", "handed_off")
        # As after a restore: what dispatch knew is lost with the end of the record, and comes back with new positions.
        execute(settings, "DELETE FROM service.messages")
        execute(settings, "UPDATE service.deciders SET position = 0 WHERE decider = 'dispatch'")
        async with dispatching(settings, provider):
            other = await house.ask("next", await house.open())
            await house.until_told(other, "started", "handed_off")
        assert states(settings) == {message_id: "handed_off", other: "handed_off"}
    assert provider.texts() == ["once", "next"]


async def test_a_file_that_cannot_be_read_now_holds_up_only_its_own_message(settings: Settings) -> None:
    async with asking(settings) as house, providing() as provider, dispatching(settings, provider):
        file_id = uuid4()
        subject = (await house.writer.ring.subjects({("shop", CUSTOMER)}))["shop", CUSTOMER]
        await BlobStore(settings.blob_url).put("shop", subject, [Blob(file_id, b"a file")])
        path = next(settings.data.rglob(file_id.hex))
        path.rename(path.with_suffix(".away"))
        path.mkdir()
        held = await house.ask("with a file", await house.open(), attachment=(file_id, "a.txt"))
        after = await house.ask("without", await house.open())
        await house.until_told(after, "started", "handed_off")
        assert house.told(held) == ["asked", "resolved"]
        path.rmdir()
        path.with_suffix(".away").rename(path)
        execute(settings, "UPDATE service.messages SET due_at = now() WHERE state = 'due'")
        await house.until_told(held, "started", "handed_off")
    assert provider.posts[1]["files"] == ["a file"]
