"""How a mail of ours is named, so that whatever comes back finds it: answers, bounces, and the plus addresses of both.

Our Message-ID is `<message>.<reply key>@<our domain>`. A bounce's own address is `help+b-<message>@…`, for reports that
leave out the mail that they are about (VERP); the address for answers is `help+<reply key>@…`.
"""

import re
from base64 import b32encode
from collections.abc import Iterable
from typing import Final
from uuid import UUID

_NAME: Final = "[a-z2-7]{26}"
_KEY: Final = "[a-z2-7]{42}"
_OURS: Final = re.compile(rf"({_NAME})\.(?:{_KEY}|k)@[^@\s]+", re.IGNORECASE)
_BOUNCED: Final = re.compile(rf"\+b-({_NAME})@", re.IGNORECASE)
_LONGEST_LOCAL_BYTES: Final = 64
"""RFC 5321 section 4.5.3.1.1."""


def name_of(message_id: UUID) -> str:
    """What a mail is called in all of these: 26 lower-case letters and digits. Its receipts derive from it."""
    return b32encode(message_id.bytes).decode().rstrip("=").lower()


def message_id_of(name: str, reply_key: str | None, domain: str) -> str:
    """Its Message-ID, without brackets."""
    return f"{name}.{reply_key or 'k'}@{domain}"


def answered_at(address: str, reply_key: str) -> str | None:
    """Where its answer comes to. None where the local part would be too long for mail servers."""
    return _plus(address, reply_key)


def bounced_to(address: str, name: str) -> str | None:
    """Where its bounces come to. None where the local part would be too long."""
    return _plus(address, f"b-{name}")


def named_by(original_id: str | None, recipients: Iterable[str]) -> str | None:
    """What a report is about: our name of the mail if it is one of ours, else its Message-ID as it is, if it has one.

    `recipients` are the addresses that the report came to.
    """
    ours = _OURS.fullmatch(original_id or "")
    if ours:
        return ours[1].lower()
    for recipient in recipients:
        bounced = _BOUNCED.search(recipient)
        if bounced:
            return bounced[1].lower()
    return original_id


def _plus(address: str, said: str) -> str | None:
    local, _, domain = address.rpartition("@")
    made = f"{local}+{said}"
    return f"{made}@{domain}" if len(made.encode()) <= _LONGEST_LOCAL_BYTES and '"' not in local else None
