"""How far each mailbox has been read, in `service.mailboxes`; written only by who holds the lease of its inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from services.record.errors import Fenced

_LOAD: Final = """
    SELECT uidvalidity, floor_uid, kept_uid, marked_uid FROM service.mailboxes WHERE inbox_id = %s AND mailbox = %s"""
_SAVE: Final = """
    WITH held AS (SELECT FROM service.leases WHERE name = %(lease)s AND epoch = %(epoch)s FOR SHARE)
    INSERT INTO service.mailboxes (inbox_id, mailbox, uidvalidity, floor_uid, kept_uid, marked_uid, moved_at)
    SELECT %(inbox_id)s, %(mailbox)s, %(uidvalidity)s, %(floor_uid)s, %(kept_uid)s, %(marked_uid)s, clock_timestamp()
    FROM held
    ON CONFLICT (inbox_id, mailbox) DO UPDATE SET uidvalidity = excluded.uidvalidity, floor_uid = excluded.floor_uid,
        kept_uid = excluded.kept_uid, marked_uid = excluded.marked_uid, moved_at = excluded.moved_at"""


@dataclass(frozen=True, slots=True)
class Place:
    """A bookmark. Above `floor_uid` a UID without a mail is a gap; all up to `kept_uid` is on the record."""

    uidvalidity: int
    floor_uid: int
    kept_uid: int = 0
    marked_uid: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """The bookmarks of one inbox, as long as our lease of it is the newest."""

    pool: AsyncConnectionPool
    inbox_id: UUID
    epoch: int

    async def load(self, mailbox: str) -> Place | None:
        """None before the first visit."""
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_LOAD, (self.inbox_id, mailbox))).fetchone()
        return None if row is None else Place(*row)

    async def save(self, mailbox: str, place: Place) -> None:
        """After what it promises is committed.

        Raises:
            Fenced: another process reads this inbox now.
        """
        arguments = {
            "lease": lease_of(self.inbox_id),
            "epoch": self.epoch,
            "inbox_id": self.inbox_id,
            "mailbox": mailbox,
            "uidvalidity": place.uidvalidity,
            "floor_uid": place.floor_uid,
            "kept_uid": place.kept_uid,
            "marked_uid": place.marked_uid,
        }
        async with self.pool.connection() as connection:
            cursor = await connection.execute(_SAVE, arguments)
            if cursor.rowcount == 0:
                raise Fenced("another process reads this inbox now")


def lease_of(inbox_id: UUID) -> str:
    """The name of the lease under which one process reads an inbox."""
    return f"imap:{inbox_id}"


def missing(place: Place, last: int, present: Sequence[int], fetched: Sequence[int]) -> list[int]:
    """UIDs up to and with `last` that we have never read and never will.

    `present` were listed, `fetched` were got. A UID at or below the floor that is not listed was gone before we came.
    """
    first = max(place.kept_uid, place.floor_uid) + 1
    unlisted = set(range(first, last + 1)).difference(present)
    return sorted(unlisted | set(present).difference(fetched))


def sequence_set(uids: Sequence[int]) -> str:
    """As IMAP writes it (RFC 9051): `7,9:12`. `uids` ascending."""
    runs: list[tuple[int, int]] = []
    for uid in uids:
        if runs and uid == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], uid)
        else:
            runs.append((uid, uid))
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)
