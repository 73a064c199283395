from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from channels.contract import Heard, InboundRequest, Origin
from schemas.interaction import Content, InteractionReceived
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.submission import Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record import check as module
from services.record.check import Finding, check
from services.settings import Settings

ORIGIN = Origin("acme", "twilio:+982112345678")


async def _fill(settings: Settings, count: int = 30) -> None:
    async with pool(settings.keys_url, size=2) as keys:
        intake = Intake(settings.record_url, Ring(keys, Vault(settings.secrets())), BlobStore(settings.blob_url))
        intake.start()
        for number in range(count):
            key, address = f"SM{number}", f"tel:+9891200000{number % 7:02}"
            said = Content(address=address, text="salaam")
            interaction_id = ORIGIN.derive(key, "interaction")
            fact = InteractionReceived(
                interaction_id=interaction_id, kind="message", channel="sms/twilio", personal=said
            )
            request = InboundRequest("POST", "https://x/", (), key.encode(), datetime.now(UTC), ORIGIN)
            await intake.submit(Submission(request, uuid4(), [Heard(key, address, fact)]))
        await intake.stop()


async def _wrong(settings: Settings, *, every: bool = True) -> list[Finding]:
    async with pool(settings.record_url, size=1) as record, pool(settings.keys_url, size=1) as keys:
        found = await check(record, keys, Vault(settings.secrets()), every=every)
    return [one for one in found if not one.ok]


@pytest.mark.parametrize("every", [True, False])
async def test_a_whole_record_has_no_finding_however_it_is_paged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, every: bool
) -> None:
    monkeypatch.setattr(module, "_PAGE", 7)
    monkeypatch.setattr(module, "SAMPLE", 10)
    await _fill(settings)
    assert await _wrong(settings, every=every) == []


async def test_an_empty_record_is_whole(settings: Settings) -> None:
    assert await _wrong(settings) == []


DAMAGES = [
    ("UPDATE record.facts SET recorded_at = recorded_at - interval '1 hour' WHERE position = 9", "order", "1 were"),
    ("DELETE FROM record.seen WHERE event_id = (SELECT event_id FROM record.facts WHERE position = 9)", "seen", "at 9"),
    ("UPDATE record.facts SET personal = personal || '\\x00' WHERE position = 9", "sealed parts", "at 9"),
    ("UPDATE record.facts SET revision = 2 WHERE position = 9", "sealed parts", "at 9"),
    ("DELETE FROM keys.subjects", "keys", "30 have no key"),
    ("DELETE FROM keys.days", "days of requests", "acme"),
    ("INSERT INTO service.relay_cursor (prefix, position, epoch) VALUES ('tamas.', 31, 1)", "relay", "tail"),
    ("SELECT setval('record.position', 12)", "numbers", "taken"),
    ("UPDATE record.identity SET system_identifier = '42'", "place", "adopt"),
    (
        """INSERT INTO service.pending (raw_id, day, tenant, inbox_id)
            SELECT gen_random_uuid(), current_date, 'acme', gen_random_uuid()""",
        "waiting requests",
        "gone",
    ),
]


@pytest.mark.parametrize(("damage", "name", "said"), DAMAGES, ids=[name for _, name, _ in DAMAGES])
async def test_a_damage_is_found_and_named(settings: Settings, damage: str, name: str, said: str) -> None:
    await _fill(settings)
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        connection.execute(damage.encode())
    found = await _wrong(settings)
    assert name in {one.check for one in found}
    assert said in next(one.detail for one in found if one.check == name)
