"""How fast a visitor may write, and how many sockets may be open. Counted per process, in memory."""

import contextlib
from collections import Counter
from collections.abc import Generator
from typing import Final
from uuid import UUID

BURST: Final = 30
PER_SECOND: Final = 1.0
"""Messages of one visitor: so many at once, then so many a second."""
_MOST_PER_INBOX: Final = 5000
_MOST_PER_SOURCE: Final = 200


class Crowd:
    """Open sockets by inbox and by where they come from."""

    def __init__(self, per_inbox: int = _MOST_PER_INBOX, per_source: int = _MOST_PER_SOURCE) -> None:
        """The most that each may have."""
        self._per_inbox: Final = per_inbox
        self._per_source: Final = per_source
        self._open: Final[Counter[UUID | str]] = Counter()

    @contextlib.contextmanager
    def joined(self, inbox_id: UUID, source: str) -> Generator[bool]:
        """Whether there is room for one more, which is counted until the end."""
        has_room = self._open[inbox_id] < self._per_inbox and self._open[source] < self._per_source
        if not has_room:
            yield False
            return
        self._open.update((inbox_id, source))
        try:
            yield True
        finally:
            self._open.subtract((inbox_id, source))
            for one in (inbox_id, source):
                if not self._open[one]:
                    del self._open[one]
