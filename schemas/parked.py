"""What was set aside because it could not be processed, or was missed. Published on the topic `parked`."""

from typing import Literal
from uuid import UUID

from schemas.fact import Fact


class RequestParked(Fact):
    """A request was kept, but could not be read; an operator may retry it once the cause is mended."""

    type: Literal["request.parked"] = "request.parked"
    version: Literal[1] = 1
    parked_id: UUID
    raw_id: UUID
    channel: str
    reason: str


class MailboxGapSeen(Fact):
    """Mails were in a mailbox of ours and were taken out by somebody else before we had read them.

    `uids` names them as IMAP does (RFC 9051, sequence-set: `7,9:12`), `count` says how many they are.
    """

    type: Literal["mailbox.gap_seen"] = "mailbox.gap_seen"
    version: Literal[1] = 1
    inbox_id: UUID
    mailbox: str
    uidvalidity: int
    uids: str
    count: int
