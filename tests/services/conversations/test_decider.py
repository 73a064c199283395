"""The decider against a real PostgreSQL: what it saves, together, and what it makes of rivals and poison."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from schemas.call import CallMissed
from schemas.conversation import ConversationClosed
from schemas.event import AnyFact
from schemas.interaction import InteractionReceived
from services.conversations.batch import Batch
from services.ops import rebuild
from services.record.decisions import Decided, Decisions
from services.reply_key import conversation_of, reply_key
from services.settings import Settings
from tests.services.conversations.deciding import (
    caught_up,
    decided,
    deciding,
    execute,
    mail,
    rows,
    sms,
    tables,
    until,
    writing,
)
from tests.services.conversations.people import told

CALLER = "tel:+989121111111"
_ABOUT: Any = {"interaction_id": UUID(int=0xCA11), "channel": "voice/twilio"}
CALL: list[tuple[str, AnyFact]] = [
    (CALLER, InteractionReceived(kind="call", **_ABOUT)),
    (CALLER, CallMissed(outcome="no_answer", reported="no-answer", **_ABOUT)),
]


async def test_messages_and_mails_find_their_conversation(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings):
        await writer.write(sms(), mail("<one@x>"), sms(), sms("tel:+989350000000"))
        await writer.write(mail("<two@x>", "<one@x>", address="mailto:sara@example.com"))
        await caught_up(settings)
    assert told(decided(settings)) == [
        "opened no_conversation message waiting",
        "opened no_conversation message waiting",
        "joined open_conversation message waiting",
        "opened no_conversation message waiting",
        "joined references message waiting",
    ]


async def test_an_answer_to_a_signed_key_finds_its_conversation(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings):
        await writer.write(mail("<one@x>"))
        await caught_up(settings)
        key = await reply_key(writer.ring, "shop", decided(settings)[0].conversation_id)
        to = f"help+{key.upper()}@shop.example"
        await writer.write(mail("<two@x>", address="mailto:sara@example.com", recipient=to))
        await writer.write(mail("<three@x>", f"<{key}.1@shop.example>", address="mailto:reza@example.com"))
        forged = key[:-1] + ("a" if key[-1] != "a" else "b")
        await writer.write(mail("<four@x>", f"<{forged}.1@shop.example>", address="mailto:eve@example.com"))
        await caught_up(settings)
        assert await conversation_of(writer.ring, "rival", key) is None
    assert told(decided(settings))[1:] == [
        "joined reply_key message waiting",
        "joined message_id message waiting",
        "opened no_conversation message waiting",
    ]


async def test_a_batch_is_one_load_and_one_save(settings: Settings) -> None:
    async with writing(settings) as writer:
        await writer.write(*[sms(f"tel:+98912{number:07}") for number in range(500)])
        async with deciding(settings):
            await caught_up(settings)
    assert len(decided(settings)) == 500
    saves = rows(settings, "SELECT count(DISTINCT xmin::text) FROM record.decisions WHERE topic = 'cases'")
    assert saves == [(1,)]


async def test_what_an_agent_decided_meanwhile_is_known(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings):
        await writer.write(sms())
        await caught_up(settings)
        conversation_id = decided(settings)[0].conversation_id
        closed = ConversationClosed(conversation_id=conversation_id, since_at=datetime.now(UTC))
        decisions = Decisions(settings.record_url)
        decisions.save([Decided(conversation_id, 2, "shop", closed)])
        decisions.close()
        await writer.write(sms())
        await caught_up(settings)
    assert told(decided(settings))[1:] == [
        "closed closed",
        "reopened waiting",
        "joined open_conversation message waiting",
    ]
    assert rows(settings, "SELECT version, state FROM service.conversations") == [(4, "waiting")]


async def test_a_rival_between_load_and_save_is_decided_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions, real, rivals = Decisions(settings.record_url), Batch.run, list[Decided]()

    def with_a_rival(batch: Batch, items: object) -> object:
        made = real(batch, items)  # type: ignore[arg-type]
        if not rivals and any(one.version == 2 for one in made):
            of = made[0].stream_id
            rivals.append(Decided(of, 2, "shop", ConversationClosed(conversation_id=of, since_at=datetime.now(UTC))))
            decisions.save(rivals)
        return made

    monkeypatch.setattr(Batch, "run", with_a_rival)
    async with writing(settings) as writer, deciding(settings):
        await writer.write(sms())
        await caught_up(settings)
        await writer.write(*[sms() for _ in range(9)])
        await caught_up(settings)
    decisions.close()
    words = told(decided(settings))
    assert words[1:4] == ["closed closed", "reopened waiting", "joined open_conversation message waiting"]
    assert words[4:] == ["joined open_conversation message waiting"] * 8
    assert rows(settings, "SELECT interactions, version FROM service.conversations") == [(10, 12)]
    assert rows(settings, "SELECT count(*) FROM service.undecided") == [(0,)]


async def test_what_cannot_be_decided_is_set_aside_with_what_comes_after_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Batch._place

    def broken(batch: Batch, touch: object, brought: object, interaction_id: object) -> object:
        if touch.address_id == poison:  # type: ignore[attr-defined]
            raise RuntimeError("our own mistake")
        return real(batch, touch, brought, interaction_id)  # type: ignore[arg-type]

    async with writing(settings) as writer:
        poison = (await writer.ring.subjects({("shop", "tel:+989120000001")}))["shop", "tel:+989120000001"].address_id
        with monkeypatch.context() as patched:
            patched.setattr(Batch, "_place", broken)
            async with deciding(settings):
                await writer.write(sms(), sms("tel:+989120000001"), sms("tel:+989350000000"))
                await caught_up(settings)
                await writer.write(sms("tel:+989120000001"), sms())
                await caught_up(settings)
        assert len(decided(settings)) == 3
        reasons = rows(settings, "SELECT subject, reason FROM service.undecided ORDER BY position")
        assert [subject for subject, _ in reasons] == [poison, poison]
        assert "our own mistake" in reasons[0][1]
        async with deciding(settings):
            await until(lambda: rows(settings, "SELECT count(*) FROM service.undecided") == [(0,)])
    assert told(decided(settings))[3:] == [
        "opened no_conversation message waiting",
        "joined open_conversation message waiting",
    ]


async def test_a_revision_is_not_decided_again(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings):
        first = sms()
        await writer.write(first, key="k")
        await writer.write(first, key="k", revision=2)
        await writer.write(sms("tel:+989350000000"), key="made by a mended parser only", revision=2)
        await caught_up(settings)
    assert told(decided(settings)) == ["opened no_conversation message waiting"] * 2


async def test_lookups_that_are_filled_again_are_as_they_were(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    async with writing(settings) as writer:
        async with deciding(settings):
            await writer.write(
                sms(), mail("<one@x>"), mail("<3@x>", "<2@x>", "<one@x>"), mail("<gone@x>", address="mailto:b@x")
            )
            await writer.write(
                mail("<2@x>", address="mailto:c@x"), mail("<b@x>", automatic="bounce", address="mailto:d@x")
            )
            await caught_up(settings)
            await writer.erase("mailto:b@x")
            await writer.write(sms(), *CALL)
            await caught_up(settings)
            before = tables(settings)
            assert all(before.values())
            execute(settings, "DELETE FROM service.conversation_mails")
            rebuild.run("conversations")
            await writer.write(sms("tel:+989350000000"))
            await until(lambda: rows(settings, "SELECT lookups FROM service.deciders") == [(1,)])
            await caught_up(settings)
        execute(settings, "UPDATE service.deciders SET lookups = 0")
        after = tables(settings)
        async with deciding(settings):
            await until(lambda: rows(settings, "SELECT lookups FROM service.deciders") == [(1,)])
    assert tables(settings) == after
    assert after["conversation_mails"] == before["conversation_mails"]
    assert set(before["conversations"]) <= set(after["conversations"])


async def test_no_secret_of_a_mail_is_kept_in_clear(settings: Settings) -> None:
    async with writing(settings) as writer, deciding(settings):
        await writer.write(mail("<secret@x>", "<another@x>"))
        await caught_up(settings)
    kept = str([tables(settings), rows(settings, "SELECT convert_from(state, 'utf8') FROM record.decisions")])
    assert "secret" not in kept
    assert "ali@" not in kept
