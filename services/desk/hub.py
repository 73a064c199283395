"""One tail of the record for the whole process; what changed is shown once per language and given to every stream.

A frame's id is the position up to which the lists are told. What a stream misses is told again from memory; when the
gap does not fit there, it is told to ask for everything again (`resync`).
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import psycopg
import structlog

from services.desk.changes import TOPICS, Changed, Changes
from services.desk.users import Language
from services.record.reader import Reader, Row

MOST_WAITING: Final = 256
"""Looks at the record that a slow reader may leave lying: then it is cut, and asks again."""
_KEPT: Final = 4096
_PAGE: Final = 500
_LIVE_SECONDS: Final = 0.04
"""Between two looks. What came meanwhile is one write to each reader, which is what many of them cost."""
_QUIET_SECONDS: Final = 1.0
_LATE_SECONDS: Final = 2.0
"""So long are the read models waited for without any news of theirs."""
_log: Final = structlog.get_logger()

Shown = Callable[[Language], dict[str, Any]]
"""What a frame says in this language, ready for JSON."""
Show = Callable[[str, Changed], Awaitable[Iterable[Shown]]]


@dataclass(slots=True)
class _Frame:
    position: int
    tenant: str
    shown: Shown
    is_last: bool
    made: dict[Language, bytes] = field(default_factory=dict[Language, bytes])

    def of(self, language: Language) -> bytes:
        """Made once, whoever reads it."""
        if language not in self.made:
            # Who is cut between two frames of one position gets both again.
            name = b"id: %d\n" % self.position if self.is_last else b""
            self.made[language] = b"%bdata: %b\n\n" % (name, orjson.dumps(self.shown(language)))
        return self.made[language]


class Stream:
    """One reader. `is_cut` says that it was too slow, or that the process ends."""

    def __init__(self, tenant: str, language: Language) -> None:
        """Of this tenant's frames, in this language."""
        self.tenant: Final = tenant
        self.language: Final[Language] = language
        self.waiting: Final[deque[bytes]] = deque()
        self.is_cut = False
        self._woken: Final = asyncio.Event()

    def push(self, frames: bytes) -> None:
        """Never waits."""
        if len(self.waiting) < MOST_WAITING:
            self.waiting.append(frames)
            self._woken.set()
        else:
            self.cut()

    def cut(self) -> None:
        """It ends."""
        self.is_cut = True
        self._woken.set()

    async def take(self, seconds: float) -> bytes:
        """All that waits, for one write; empty when nothing came for so long, or it is cut."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
        taken = b"".join(self.waiting)
        self.waiting.clear()
        return taken


class Hub:
    """One per process."""

    def __init__(self, reader: Reader, reached: Callable[[], Awaitable[int]], show: Show) -> None:
        """`reached` tells how far the read models are, `show` what a change looks like in them."""
        self._reader: Final = reader
        self._reached: Final = reached
        self._show: Final = show
        self._changes: Final = Changes(reader)
        self._streams: Final[set[Stream]] = set()
        self._kept: Final[deque[_Frame]] = deque()
        self._woken: Final = asyncio.Event()
        self._is_over = False
        self._moved_at = time.monotonic()
        self.position = 0
        self._from = 0
        """Frames above this position are kept."""

    @contextlib.contextmanager
    def joined(self, tenant: str, language: Language, after: int) -> Generator[tuple[Stream, Sequence[bytes] | None]]:
        """A stream, and what it missed since `after`; None: more than is kept."""
        stream = Stream(tenant, language)
        missed = None
        if after >= self._from:
            missed = [kept.of(language) for kept in self._kept if kept.position > after and kept.tenant == tenant]
        self._streams.add(stream)
        self._woken.set()
        if self._is_over:
            stream.cut()
        try:
            yield stream, missed
        finally:
            self._streams.discard(stream)

    def tell(self, tenant: str, said: Shown) -> None:
        """To everybody of this tenant who listens now; it is not kept."""
        made: dict[Language, bytes] = {}
        for stream in self._of(tenant):
            if stream.language not in made:
                made[stream.language] = b"data: %b\n\n" % orjson.dumps(said(stream.language))
            stream.push(made[stream.language])

    def end(self) -> None:
        """Every stream ends, also those that come now."""
        self._is_over = True
        for stream in self._streams:
            stream.cut()

    async def run(self) -> None:
        """Until cancelled; goes on through every absence of a database."""
        head: int | None = None
        while True:
            try:
                if head is None:
                    self.position = self._from = head = await self._reader.head()
                if self._streams:
                    await self._look()
                else:
                    # A second behind, so that who just got a page and now listens finds no gap.
                    self._skip(head)
                    head = await self._reader.head()
            except Exception as error:  # noqa: BLE001 - told to the log
                # The edge: a database that is away, read models that are filled again.
                _log.warning("desk.tail_away", error=type(error).__name__, is_database=isinstance(error, psycopg.Error))
                await asyncio.sleep(_QUIET_SECONDS)
            await self._pause()

    async def _pause(self) -> None:
        if self._streams:
            await asyncio.sleep(_LIVE_SECONDS)
            return
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_SECONDS):
                await self._woken.wait()

    def _skip(self, to: int) -> None:
        self._moved_at = time.monotonic()
        if to > self.position:
            self._kept.clear()
            self.position = self._from = to

    async def _look(self) -> None:
        """Tell what the read models have; what they do not have for long is told as late."""
        reached, now = await self._reached(), time.monotonic()
        if reached > self.position:
            self._moved_at = now
        is_late = now - self._moved_at > _LATE_SECONDS
        if reached <= self.position and not is_late:
            return
        rows = await self._reader.read(self.position, _PAGE, topics=TOPICS, opens=_nothing)
        if is_late:
            self._moved_at = now
        else:
            rows = [row for row in rows if row.position <= reached]
        # Where a page has none, there is none up to where the read models are.
        position = rows[-1].position if rows else max(reached, self.position)
        self._tell(await self._frames(rows, position, is_late=is_late), position)

    async def _frames(self, rows: Sequence[Row], position: int, *, is_late: bool) -> list[_Frame]:
        listened = {stream.tenant for stream in self._streams}
        frames: list[_Frame] = []
        for tenant, what in (await self._changes.of([row for row in rows if row.tenant in listened])).items():
            what.is_late = is_late
            shown = list(await self._show(tenant, what))
            frames += [_Frame(position, tenant, one, one is shown[-1]) for one in shown]
        return frames

    def _tell(self, frames: Sequence[_Frame], position: int) -> None:
        self.position = position
        self._keep(frames)
        told: dict[tuple[str, Language], bytes] = {}
        for stream in self._streams if frames else ():
            key = stream.tenant, stream.language
            if key not in told:
                told[key] = b"".join(frame.of(stream.language) for frame in frames if frame.tenant == stream.tenant)
            if told[key]:
                stream.push(told[key])

    def _keep(self, frames: Sequence[_Frame]) -> None:
        self._kept.extend(frames)
        while len(self._kept) > _KEPT:
            self._from = self._kept.popleft().position

    def _of(self, tenant: str) -> list[Stream]:
        return [stream for stream in self._streams if stream.tenant == tenant]


def _nothing(_clear: bytes) -> bool:
    return False
