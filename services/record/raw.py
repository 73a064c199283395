"""A request as it came, packed and sealed, so that a parser mended tomorrow can be run over yesterday."""

import os
import time
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channels.contract import InboundRequest, Origin
from services.keys.vault import seal, unseal

_LENGTH_BYTES: Final = 4


class RawRow(NamedTuple):
    """A row of record.raw. `state`: read (its facts are beside it), pending (a parser will), parked."""

    raw_id: UUID
    tenant: str
    inbox_id: UUID
    received_at: datetime
    state: str
    sealed: bytes

    @property
    def day(self) -> date:
        """The partition, and the day of the key."""
        return self.received_at.date()


def new_raw_id() -> UUID:
    """A UUIDv7 (RFC 9562): grows with time, so that its index stays ordered."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = (stamp << 80) | (7 << 76) | ((noise >> 64 & 0xFFF) << 64) | (0b10 << 62) | (noise & (1 << 62) - 1)
    return UUID(int=value)


def sealed(request: InboundRequest, raw_id: UUID, cipher: AESGCM) -> bytes:
    """The request packed (a JSON head with its length before it, then the body) and sealed under its day's key."""
    head = orjson.dumps(
        {
            "method": request.method,
            "url": request.url,
            "headers": request.headers,
            "received_at": request.received_at,
            "tenant": request.origin.tenant,
            "inbox": request.origin.inbox,
            "purpose": request.purpose,
        }
    )
    return seal(cipher, b"".join((len(head).to_bytes(_LENGTH_BYTES, "big"), head, request.body)), raw_id.bytes)


def opened(value: bytes, raw_id: UUID, cipher: AESGCM) -> InboundRequest:
    """The request again.

    Raises:
        Unsealable: another key or another row.
    """
    packed = unseal(cipher, value, raw_id.bytes)
    length = int.from_bytes(packed[:_LENGTH_BYTES], "big") + _LENGTH_BYTES
    head = orjson.loads(packed[_LENGTH_BYTES:length])
    return InboundRequest(
        method=head["method"],
        url=head["url"],
        headers=tuple((name, value) for name, value in head["headers"]),
        body=packed[length:],
        received_at=datetime.fromisoformat(head["received_at"]),
        origin=Origin(head["tenant"], head["inbox"]),
        purpose=head["purpose"],
    )
