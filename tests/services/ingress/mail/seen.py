"""What mails have become on the record, personal parts opened."""

from typing import Any

import orjson

from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.reader import Reader
from services.settings import Settings

RECEIVED = "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'"
RECEIPTS = "SELECT count(*) FROM record.facts WHERE type = 'receipt.reported'"
RAW = "SELECT count(*) FROM record.raw"
PENDING = "SELECT count(*) FROM service.pending"


async def facts(settings: Settings, kind: str = "interaction.received") -> list[dict[str, Any]]:
    """In the order of the record."""
    async with pool(settings.record_url, size=1) as record, pool(settings.keys_url, size=1) as keys:
        rows = await Reader(record, Ring(keys, Vault(settings.secrets()))).read(0, 1000)
        return [orjson.loads(row.payload) for row in rows if row.type == kind]


def letter(number: int, text: str = "Where is my order?", recipient: str = "help@shop.example") -> bytes:
    return (
        f"From: سارا <sara@example.com>\r\nTo: {recipient}\r\nSubject: order {number}\r\n"
        f"Date: Fri, 20 Nov 2026 13:00:00 +0330\r\nMessage-ID: <{number}@example.com>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text} سلام {number}\r\n"
    ).encode()
