"""What shows on the server that a mail is on the record: a flag, a keyword, or the folder that it lies in."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from services.ingress.imap.desk import Work
from services.ingress.imap.places import Place
from services.ingress.imap.session import Selected, Session

_WINDOW: Final = 20_000
_AT_ONCE: Final = 200
_LONGEST_WORDS: Final = 200


class Marking:
    """Marks for one inbox. What cannot be marked is no reason to read no more: it is tried again at each visit."""

    def __init__(self, work: Work) -> None:
        """Nothing is marked yet."""
        self._work: Final = work
        self._has_folder = False

    async def mark(
        self, session: Session, selected: Selected, mailbox: str, place: Place, known: Sequence[int] | None = None
    ) -> Place:
        """Mark all that is on the record and is not; `known` are its UIDs, where they need not be asked for.

        Raises:
            Fenced, psycopg.Error: of the bookmark.
            IMAPClientAbortError, OSError: the connection is lost.
        """
        while place.marked_uid < place.kept_uid:
            end = place.kept_uid if known is not None else min(place.marked_uid + _WINDOW, place.kept_uid)
            trouble = await self._try(session, selected, (place.marked_uid + 1, end), known)
            if trouble is not None:
                self._work.note("unmarked", f"mails of {mailbox} are on the record, but cannot be marked: {trouble}")
                return place
            self._work.is_well("unmarked")
            place = replace(place, marked_uid=end)
            await self._work.places.save(mailbox, place)
        return place

    async def _try(
        self, session: Session, selected: Selected, between: tuple[int, int], known: Sequence[int] | None
    ) -> str | None:
        if not selected.is_writable:
            return "the server lets this user only read"
        try:
            uids: Sequence[int] = await self._work.desk.on_thread(session.uids, *between) if known is None else known
            for start in range(0, len(uids), _AT_ONCE):
                await self._show(session, uids[start : start + _AT_ONCE])
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            return str(error)[:_LONGEST_WORDS]
        return None

    async def _show(self, session: Session, uids: Sequence[int]) -> None:
        config, on_thread = self._work.config, self._work.desk.on_thread
        if config.after != "move":
            await on_thread(session.flag, uids, keyword=config.after == "keyword")
            return
        if not self._has_folder:
            if not await on_thread(session.has, config.folder):
                await on_thread(session.create, config.folder)
            self._has_folder = True
        await on_thread(session.move, uids, config.folder)
