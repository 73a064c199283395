"""What all that fetches mail in one process shares, and the inbox that one part of it is about."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from channels.email.imap import ImapConfig
from services.ingress.imap.places import Places
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.tenancy.directory import Inbox

Counts = Counter[tuple[UUID, str]]
"""By inbox and word, since the process began: kept, repeated, parked, vanished (mails); refused, away (connections)."""

OnThread = Callable[..., Awaitable[Any]]
"""Runs a session's method where it may block."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`prefix` names the relay whose lag a catch-up watches."""

    record_url: str
    prefix: str
    intake: Intake
    log: RequestLog
    on_thread: OnThread
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class Work:
    """One inbox with its settings, and what of its troubles was noted last, so that each is noted once."""

    inbox: Inbox
    config: ImapConfig
    places: Places
    desk: Desk
    noted: dict[str, str] = field(default_factory=dict[str, str])

    def count(self, word: str, number: int = 1) -> None:
        """One more of these."""
        self.desk.counts[self.inbox.inbox_id, word] += number

    def note(self, result: str, reason: str) -> None:
        """For `tamas inbox requests`; not again while it is the same."""
        if self.noted.get(result) != reason:
            self.noted[result] = reason
            self.desk.log.trouble(self.inbox, result, reason)

    def is_well(self, *results: str) -> None:
        """These troubles are over: the next of them is news."""
        for result in results:
            self.noted.pop(result, None)
