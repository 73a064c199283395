"""What makes two copies of a mail the same mail (RFC 5322 section 3.6.4 leaves Message-ID to the sender's honesty)."""

import hashlib
from typing import Final

from channels.email.headers import Headers, split
from channels.email.thread import message_ids
from channels.email.words import unfolded
from channels.errors import Malformed

_SAID_BY_THE_SENDER: Final = (
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding",
)  # fmt: skip
"""Only these count: whatever else stands in a header, servers on the way may have put there (Received, Return-Path,
Delivered-To, X-Original-To, Authentication-Results, DKIM and ARC signatures, spam scores)."""


def source_key(raw: bytes) -> str:
    """`<Message-ID>|<sha256>` of a raw mail; the id is empty when there is none. Parts are not read, so it is cheap.

    The digest covers the sender's own header fields, unfolded, and the body with LF line ends and no blank lines at
    its end: a copy that came by another way, or was stored with other line ends, has the same key.
    """
    try:
        headers, start = split(raw)
    except Malformed:
        return f"|{hashlib.sha256(raw).hexdigest()}"
    digest = hashlib.sha256(_canonical_headers(headers))
    digest.update(raw[start:].replace(b"\r\n", b"\n").rstrip(b"\r\n"))
    ids = message_ids(headers.source("Message-ID") or "")
    return f"{ids[0] if ids else ''}|{digest.hexdigest()}"


def _canonical_headers(headers: Headers) -> bytes:
    lines = [
        f"{name}:{' '.join(unfolded(field.raw.decode('latin_1')).split())}\n"
        for name in _SAID_BY_THE_SENDER
        for field in headers.all(name)
    ]
    return "".join(lines).encode("utf_8")
