"""What a decision says to a person is sealed as a fact's words are: read, checked and erased like them."""

from uuid import UUID, uuid4

import psycopg
import pytest

from schemas.outbound import MessageAsked, MessageWithdrawn, Said
from services import database
from services.keys.ring import Ring, Subject
from services.keys.vault import Vault
from services.record.check import check
from services.record.decisions import Decided, Decisions
from services.record.erase import erase
from services.record.reader import Reader, Row, event_of
from services.settings import Settings

ADDRESS = "tel:+989120000001"


def _decide(settings: Settings, subject: Subject) -> UUID:
    message_id, decisions = uuid4(), Decisions(settings.record_url)
    said = Said(address=ADDRESS, text="سلام سارا")
    asked = MessageAsked(message_id=message_id, address_id=subject.address_id, personal=said)
    withdrawn = MessageWithdrawn(message_id=message_id)
    decisions.save(
        [
            Decided(message_id, 1, "acme", asked, sealed_under=subject),
            Decided(message_id, 2, "acme", withdrawn, sealed_under=subject),
        ]
    )
    (again, _) = decisions.load([message_id])[message_id]
    assert again.fact == asked.model_copy(update={"personal": None})
    decisions.close()
    return message_id


async def _rows(settings: Settings, message_id: UUID) -> list[Row]:
    async with database.pool(settings.record_url) as record, database.pool(settings.keys_url) as keys:
        reader = Reader(record, Ring(keys, Vault(settings.secrets())))
        rows = await reader.streams([message_id])
        assert rows == await reader.read(0, 10) == await reader.rows_at([row.position for row in rows])
        return rows


async def test_words_are_sealed_at_rest_and_opened_for_readers(settings: Settings) -> None:
    async with database.pool(settings.keys_url) as keys:
        subject = (await Ring(keys, Vault(settings.secrets())).subjects([("acme", ADDRESS)]))["acme", ADDRESS]
    message_id = _decide(settings, subject)
    asked, withdrawn = [event_of(row) for row in await _rows(settings, message_id)]
    assert isinstance(asked.fact, MessageAsked)
    assert asked.fact.personal is not None
    assert asked.fact.personal.text == "سلام سارا"
    assert asked.subject == withdrawn.subject == message_id
    with psycopg.connect(settings.record_url) as connection:
        stored = connection.execute("SELECT state, personal, sealed_under FROM record.decisions ORDER BY position")
        (clear, sealed, key), (_, nothing, nobody) = stored.fetchall()
    assert "سلام".encode() not in clear + sealed
    assert ADDRESS.encode() not in clear + sealed
    assert (key, nothing, nobody) == (subject.address_id, None, None)


async def test_who_is_erased_is_erased_in_decisions_too(settings: Settings) -> None:
    async with database.pool(settings.record_url) as record, database.pool(settings.keys_url) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        subject = (await ring.subjects([("acme", ADDRESS)]))["acme", ADDRESS]
        message_id = _decide(settings, subject)
        found = {one.check: one for one in await check(record, keys, Vault(settings.secrets()), every=True)}
        assert found["sealed parts"].detail.startswith("1 opened")
        done = await erase(settings, record, keys, ring, tenant="acme", address=ADDRESS, settled_seconds=0)
        assert [(kind, count) for _, kind, count in done.stays] == [("address.erased", 1), ("message.asked", 1)]
    first, *_ = [row for row in await _rows_with_erasure(settings) if row.subject == message_id]
    assert first.erased
    assert "سلام".encode() not in first.payload


async def _rows_with_erasure(settings: Settings) -> list[Row]:
    async with database.pool(settings.record_url) as record, database.pool(settings.keys_url) as keys:
        return await Reader(record, Ring(keys, Vault(settings.secrets()))).read(0, 10)


def test_words_without_a_key_are_refused(settings: Settings) -> None:
    said = Said(address=ADDRESS, text="to nobody")
    asked = MessageAsked(message_id=uuid4(), address_id=uuid4(), personal=said)
    decisions = Decisions(settings.record_url)
    with pytest.raises(TypeError, match="say whose key"):
        decisions.save([Decided(asked.message_id, 1, "acme", asked)])
    decisions.close()
