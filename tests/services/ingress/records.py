"""Facts that other parts of the house write, straight into the record."""

from datetime import UTC, datetime
from uuid import uuid4

from channels.contract import Heard, Origin
from schemas.interaction import Content, InteractionReceived
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.append import Appender
from services.record.facts import fact_row
from services.record.raw import new_raw_id
from tests.services.ingress.chats import Chats


async def answer_of_an_agent(chats: Chats, address: str, *texts: str) -> None:
    """An outbound message to this address for each text, in one transaction."""
    settings, origin = chats.settings, Origin("shop", "widget:Shop site")
    appender = await Appender.open(settings.record_url)
    async with pool(settings.keys_url) as keys:
        subject = (await Ring(keys, Vault(settings.secrets())).subjects({("shop", address)}))["shop", address]
    rows = [
        fact_row(
            Heard(key, address, _answer(origin, key, address, text)),
            origin=origin,
            inbox_id=chats.inbox_id,
            raw_id=new_raw_id(),
            subject=subject,
            received_at=datetime.now(UTC),
        )
        for key, text in [(str(uuid4()), text) for text in texts]
    ]
    await appender.new_of([(row.event_id, 1, row.tenant, new_raw_id()) for row in rows])
    await appender.commit(rows)
    await appender.close()


def _answer(origin: Origin, key: str, address: str, text: str) -> InteractionReceived:
    return InteractionReceived(
        interaction_id=origin.derive(key, "interaction"),
        kind="message",
        direction="out",
        channel="chat/widget",
        personal=Content(address=address, text=text),
    )
