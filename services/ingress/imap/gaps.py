"""Mails that somebody took out of a mailbox before we read them: told as a fact, once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from schemas.parked import MailboxGapSeen
from schemas.topics import TOPIC_OF
from services.ingress.imap.places import sequence_set
from services.record.append import Appender, FactRow
from services.record.raw import new_raw_id
from services.tenancy.directory import Inbox

_LOG: Final = structlog.get_logger("imap")


async def tell(record_url: str, inbox: Inbox, mailbox: str, uidvalidity: int, uids: Sequence[int]) -> None:
    """Put it on the record. Raises psycopg.OperationalError while that is away."""
    fact = MailboxGapSeen(
        inbox_id=inbox.inbox_id, mailbox=mailbox, uidvalidity=uidvalidity, uids=sequence_set(uids), count=len(uids)
    )
    event_id = inbox.origin.derive(f"{mailbox}\0{uidvalidity}\0{fact.uids}", fact.type)
    row = FactRow(
        event_id=event_id,
        tenant=inbox.tenant,
        topic=TOPIC_OF[fact.type],
        type=fact.type,
        version=fact.version,
        subject=inbox.inbox_id,
        inbox_id=inbox.inbox_id,
        raw_id=None,
        occurred_at=datetime.now(UTC),
        data=fact.clear_json(),
        personal=None,
    )
    appender = await Appender.open(record_url)
    try:
        # No request led to it; `seen` wants an id all the same.
        if await appender.new_of([(event_id, 1, inbox.tenant, new_raw_id())]):
            await appender.commit([row])
        else:
            await appender.rollback()
    finally:
        await appender.close()
    _LOG.warning("mails vanished before they were read", inbox_id=str(inbox.inbox_id), count=len(uids))
