"""A few mails from the server to the record: raw first, as they came, in the order of their UIDs."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from channels.contract import InboundRequest
from services.ingress.imap.session import Fetched
from services.ingress.intake import Intake
from services.ingress.mail import MAIL_LIMIT_BYTES
from services.ingress.submission import Outcome, Submission
from services.record.raw import new_raw_id
from services.tenancy.directory import Inbox

MOST_MAILS: Final = 200
_MOST_BYTES: Final = 8 << 20


def groups(sizes: dict[int, int]) -> Iterator[list[int]]:
    """UIDs to fetch at once, in order: a few MiB, or one mail that alone is more."""
    group: list[int] = []
    held = 0
    for uid in sorted(sizes):
        if group and held + sizes[uid] > _MOST_BYTES:
            yield group
            group, held = [], 0
        group.append(uid)
        held += sizes[uid]
    if group:
        yield group


def too_large(size: int) -> str | None:
    """Why a mail of so many bytes is not fetched; None when it is."""
    if size <= MAIL_LIMIT_BYTES:
        return None
    return f"the mail has {size} bytes, more than {MAIL_LIMIT_BYTES >> 20} MiB: only its header was kept"


class Batch:
    """Hands mails of one mailbox to the intake."""

    def __init__(self, inbox: Inbox, intake: Intake, mailbox: str, uidvalidity: int) -> None:
        """`uidvalidity` is noted beside the raw mail, so that it can be found again."""
        self._inbox: Final = inbox
        self._intake: Final = intake
        self._mailbox: Final = mailbox
        self._uidvalidity: Final = uidvalidity

    async def keep(self, mails: Sequence[Fetched]) -> list[Outcome]:
        """Commit them for a parser to read.

        Raises:
            Away: at least one of them is not on the record.
        """
        # Parsers go by raw id, and ids of one millisecond have no order of their own.
        raw_ids = sorted(new_raw_id() for _ in mails)
        waiting = [
            self._intake.submit(
                Submission(
                    self._request(mail), self._inbox.inbox_id, pending=True, source_key=mail.source_key, raw_id=raw_id
                )
            )
            for mail, raw_id in zip(mails, raw_ids, strict=True)
        ]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        for one in outcomes:
            if isinstance(one, BaseException):
                raise one
        return [one for one in outcomes if not isinstance(one, BaseException)]

    async def park(self, mail: Fetched, reason: str) -> Outcome:
        """Keep what we have of it, set aside with the reason.

        Raises:
            Away: it is not on the record.
        """
        where = f"{reason}; the mail is in {self._mailbox}, UID {mail.uid}"
        return await self._intake.submit(
            Submission(self._request(mail), self._inbox.inbox_id, reason=where, source_key=mail.source_key)
        )

    def unseen(self, uid: int) -> Fetched:
        """What stands for a mail that the server does not give."""
        return Fetched(uid, b"", "\0".join(map(str, self.key(uid))), None)

    def key(self, uid: int) -> tuple[str, int, int]:
        """The place of a mail within its inbox."""
        return self._mailbox, self._uidvalidity, uid

    def _request(self, mail: Fetched) -> InboundRequest:
        headers = [("mailbox", self._mailbox), ("uid-validity", str(self._uidvalidity)), ("uid", str(mail.uid))]
        if mail.internal_date is not None:
            headers.append(("internal-date", mail.internal_date.isoformat()))
        return InboundRequest(
            method="MAIL",
            url=f"mailto:{self._inbox.address}",
            headers=(("rcpt-to", self._inbox.address), *headers),
            body=mail.content,
            received_at=datetime.now(UTC),
            origin=self._inbox.origin,
        )
