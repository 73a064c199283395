"""One visit of a mailbox: read what is new, in order; tell what vanished; mark what is on the record."""

from dataclasses import replace
from typing import Final

import structlog

from services.ingress.imap import gaps, pace
from services.ingress.imap.batch import MOST_MAILS
from services.ingress.imap.desk import Work
from services.ingress.imap.marking import Marking
from services.ingress.imap.places import Place, missing, sequence_set
from services.ingress.imap.reading import Reading
from services.ingress.imap.session import Selected, Session

_LOG: Final = structlog.get_logger("imap")

_LONGEST_WORDS: Final = 200
_WINDOW: Final = 20_000
"""A list of so many UIDs is well within the longest line that imaplib reads."""


class Visitor:
    """Visits the mailboxes of one inbox; lives as long as its settings, over many connections."""

    def __init__(self, work: Work) -> None:
        """Nothing is asked yet."""
        self._work: Final = work
        self._reading: Final = Reading(work)
        self._marking: Final = Marking(work)

    async def visit(self, session: Session, mailbox: str) -> None:
        """Until there is nothing new; the last thing asked is a SELECT that shows it.

        A mail is first on the record, then in the bookmark, then marked: whoever dies between leaves nothing out.

        Raises:
            Away, psycopg.Error: the record is away; nothing that is not on it was marked.
            Fenced: another process reads this inbox now.
            IMAPClientError, OSError: the server.
        """
        may_mark = True
        while True:
            selected: Selected = await self._work.desk.on_thread(session.select, mailbox)
            place = await self._place(mailbox, selected)
            if may_mark:
                place = await self._marking.mark(session, selected, mailbox, place)
                may_mark = place.marked_uid == place.kept_uid
            if place.kept_uid >= selected.uidnext - 1:
                return
            while place.kept_uid < selected.uidnext - 1:
                place = await self._window(session, selected, mailbox, place)

    async def _place(self, mailbox: str, selected: Selected) -> Place:
        place = await self._work.places.load(mailbox)
        if place is not None and place.uidvalidity == selected.uidvalidity:
            return place
        if place is not None:
            _LOG.warning("a mailbox is numbered anew", inbox_id=str(self._work.inbox.inbox_id))
            self._work.note(
                "reread", f"{mailbox} has a new UIDVALIDITY, {selected.uidvalidity}: all of it is read again"
            )
        fresh = Place(selected.uidvalidity, floor_uid=selected.uidnext - 1)
        await self._work.places.save(mailbox, fresh)
        return fresh

    async def _window(self, session: Session, selected: Selected, mailbox: str, place: Place) -> Place:
        end = min(place.kept_uid + _WINDOW, selected.uidnext - 1)
        uids: list[int] = await self._work.desk.on_thread(session.uids, place.kept_uid + 1, end)
        while place.kept_uid < end:
            if len(uids) >= pace.BULK:
                await pace.keep(self._work.places.pool, self._work.desk.prefix)
            some = [uid for uid in uids if uid > place.kept_uid][:MOST_MAILS]
            last = end if not some or some[-1] == uids[-1] else some[-1]
            place = await self._batch(session, selected, mailbox, place, some, last=last)
        return place

    async def _batch(
        self, session: Session, selected: Selected, mailbox: str, place: Place, uids: list[int], *, last: int
    ) -> Place:
        read = await self._reading.read(session, mailbox, selected.uidvalidity, uids)
        if gone := missing(place, last, uids, read):
            await self._tell(mailbox, place, gone)
        is_marked = place.marked_uid == place.kept_uid
        place = replace(place, kept_uid=last)
        await self._work.places.save(mailbox, place)
        # What could not be marked before is tried once a visit, not with each batch.
        return await self._marking.mark(session, selected, mailbox, place, read) if is_marked else place

    async def _tell(self, mailbox: str, place: Place, gone: list[int]) -> None:
        inbox, desk = self._work.inbox, self._work.desk
        await gaps.tell(desk.record_url, inbox, mailbox, place.uidvalidity, gone)
        self._work.count("vanished", len(gone))
        uids = sequence_set(gone)[:_LONGEST_WORDS]
        self._work.note("gap", f"vanished from {mailbox} before they were read: UID {uids}")
