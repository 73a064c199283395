"""An installation whose record is published, then loses its tail as a restored one has."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from psycopg_pool import AsyncConnectionPool

from channels.contract import Blob, Heard, InboundRequest, Origin
from schemas.interaction import Content, InteractionReceived
from services.blobs import BlobStore
from services.database import pool
from services.ingress.intake import Intake
from services.ingress.submission import Submission
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.published import highest_published
from services.put_back.put_back import put_back
from services.put_back.tally import Tally
from services.record.check import check
from services.record.identity import adopt
from services.record.reader import Reader, Row
from services.settings import Settings
from tests.services.relay.wire import caught_up, relaying

ORIGIN = Origin("acme", "twilio:+982112345678")
INBOX = uuid4()


@dataclass
class House:
    settings: Settings
    record: AsyncConnectionPool
    keys: AsyncConnectionPool

    async def hear(self, *said: tuple[str, str], blob: Blob | None = None) -> list[UUID]:
        """Take (key, address) each by the path of ingress, in this order; returns the ids of those that were new."""
        intake = Intake(self.settings.record_url, self.ring(), BlobStore(self.settings.blob_url))
        intake.start()
        for key, address in said:
            content = Content(address=address, text=f"salaam {key}", fields={"personal": "x"})
            fact = InteractionReceived(
                interaction_id=ORIGIN.derive(key, "interaction"), kind="message", channel="sms/twilio", personal=content
            )
            blobs = () if blob is None else (blob,)
            request = InboundRequest("POST", "https://x/", (), key.encode(), datetime.now(UTC), ORIGIN)
            await intake.submit(Submission(request, INBOX, [Heard(key, address, fact, None, blobs)]))
        await intake.stop()
        return [ORIGIN.derive(key, "interaction.received") for key, _ in said]

    def ring(self) -> Ring:
        return Ring(self.keys, Vault(self.settings.secrets()))

    async def publish(self) -> None:
        async with relaying(self.settings) as relay:
            await caught_up(relay, self.settings)

    def lose(self, after: int) -> None:
        """What a server restored from a copy of that moment has: nothing above this position, and another identity."""
        for query in (
            f"DELETE FROM record.seen WHERE event_id IN (SELECT event_id FROM record.facts WHERE position > {after})",
            f"DELETE FROM record.raw WHERE raw_id IN (SELECT raw_id FROM record.facts WHERE position > {after})",
            f"DELETE FROM record.facts WHERE position > {after}",
            f"DELETE FROM record.decisions WHERE position > {after}",
            f"UPDATE service.relay_cursor SET position = least(position, {after})",
            f"UPDATE service.relay_partitions SET position = least(position, {after})",
            f"SELECT setval('record.position', {max(after, 1)})",
            "UPDATE record.identity SET system_identifier = '42'",
        ):
            self.run(query)

    async def put_back(self) -> Tally:
        adopt(self.settings.record_url, above=await highest_published(self.settings))
        return await put_back(self.settings)

    async def rows(self) -> list[Row]:
        return await Reader(self.record, self.ring()).read(0, 10_000)

    async def is_whole(self) -> bool:
        findings = await check(self.record, self.keys, Vault(self.settings.secrets()), every=True)
        assert [one for one in findings if not one.ok] == []
        return True

    def run(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.settings.record_url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def housed(settings: Settings) -> AsyncGenerator[House]:
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        yield House(settings, record, keys)


def address(number: int) -> str:
    return f"tel:+98912{number:07}"
