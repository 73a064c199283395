"""A signed key that names a conversation, in the Message-ID and the plus address of what we send.

An answer to it finds its conversation, and nobody else can make one.
"""

import hmac
import re
from base64 import b32decode, b32encode
from typing import Final
from uuid import UUID

from services.keys.ring import Ring

_MAC_BYTES: Final = 10
# 26 letters of id, 16 of signature: with a word before it, within the 64 of a local part (RFC 5321 section 4.5.3.1.1).
_KEY: Final = re.compile(r"(?<![a-z2-7])[a-z2-7]{42}(?![a-z2-7])", re.IGNORECASE)
_ID_LETTERS: Final = 26
_PADDING: Final = "======"


async def reply_key(ring: Ring, tenant: str, conversation_id: UUID) -> str:
    """42 lower-case letters and digits; it may be written in any case."""
    signature = await _signature(ring, tenant, conversation_id)
    return (b32encode(conversation_id.bytes).decode().rstrip("=") + b32encode(signature).decode()).lower()


async def conversation_of(ring: Ring, tenant: str, text: str) -> UUID | None:
    """The conversation that a key of ours in this text names; None where there is none, or a forged one."""
    for written in _KEY.findall(text):
        letters = written.upper()
        conversation_id = UUID(bytes=b32decode(letters[:_ID_LETTERS] + _PADDING))
        signature = b32decode(letters[_ID_LETTERS:])
        if hmac.compare_digest(signature, await _signature(ring, tenant, conversation_id)):
            return conversation_id
    return None


async def _signature(ring: Ring, tenant: str, conversation_id: UUID) -> bytes:
    # The ring's lookups are HMACs under a key of the tenant; addresses begin with other words.
    return (await ring.lookup(tenant, f"reply-key:{conversation_id.hex}"))[:_MAC_BYTES]
