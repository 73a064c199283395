"""From UIDs to the record: sizes first, then a few MiB at a time; what cannot be had is parked, never skipped."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from services.ingress.imap.batch import Batch, groups, too_large
from services.ingress.imap.desk import Work
from services.ingress.imap.session import Fetched, Session

_TRIES: Final = 3
_LONGEST_WORDS: Final = 200


class Reading:
    """Reads for one inbox; lives over many connections, to know a mail over which they break."""

    def __init__(self, work: Work) -> None:
        """Nothing is read yet."""
        self._work: Final = work
        self._lost_over: Final[Counter[tuple[str, int, int]]] = Counter()

    async def read(self, session: Session, mailbox: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        """Put these on the record; returns those that were still there.

        Raises:
            Away: the record takes nothing; some of them may be on it.
            IMAPClientAbortError, OSError: the connection is lost.
        """
        if not uids:
            return []
        batch = Batch(self._work.inbox, self._work.desk.intake, mailbox, uidvalidity)
        sizes: dict[int, int] = await self._work.desk.on_thread(session.sizes, uids)
        done: list[int] = []
        for uid, size in sorted(sizes.items()):
            if (reason := too_large(size)) is not None:
                done += await self._park(session, batch, uid, reason)
                del sizes[uid]
        for group in groups(sizes):
            done += await self._keep(session, batch, group)
        return done

    async def _keep(self, session: Session, batch: Batch, group: Sequence[int]) -> list[int]:
        lost = self._lost_over[batch.key(group[0])]
        if len(group) > 1 and lost >= _TRIES:
            return await self._one_by_one(session, batch, group)
        if lost >= 2 * _TRIES:
            return await self._note_parked(batch, batch.unseen(group[0]), "the connection breaks when it is asked for")
        try:
            mails: list[Fetched] = await self._work.desk.on_thread(session.fetch, group)
        except (IMAPClientAbortError, OSError):
            self._lost_over[batch.key(group[0])] += 1
            raise
        except IMAPClientError as error:
            if len(group) > 1:
                return await self._one_by_one(session, batch, group)
            if not await self._work.desk.on_thread(session.uids, group[0], group[0]):
                return []
            return await self._park(session, batch, group[0], f"the server refuses it: {str(error)[:_LONGEST_WORDS]}")
        self._lost_over.pop(batch.key(group[0]), None)
        for outcome in await batch.keep(mails):
            self._work.count("repeated" if outcome.result == "duplicate" else "kept")
        return [mail.uid for mail in mails]

    async def _one_by_one(self, session: Session, batch: Batch, group: Sequence[int]) -> list[int]:
        return [uid for one in group for uid in await self._keep(session, batch, [one])]

    async def _park(self, session: Session, batch: Batch, uid: int, reason: str) -> list[int]:
        try:
            held: list[Fetched] = await self._work.desk.on_thread(session.headers, uid)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            held = []
        return await self._note_parked(batch, held[0] if held else batch.unseen(uid), reason)

    async def _note_parked(self, batch: Batch, mail: Fetched, reason: str) -> list[int]:
        outcome = await batch.park(mail, reason)
        self._work.count("repeated" if outcome.result == "duplicate" else "parked")
        return [mail.uid]
