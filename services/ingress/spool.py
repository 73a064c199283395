"""The spool of this process: verified requests of senders who do not come again, durable on our own disk."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from services.ingress.submission import Away, Submission
from services.keys.vault import Vault
from services.spool.reader import Found, Place, Reader
from services.spool.shelf import Shelf
from services.spool.writer import Kept, Writer

_MOST_BYTES: Final = 1 << 20
_PATIENCE_SECONDS: Final = 5.0
_DOUBTED_SECONDS: Final = 10.0
_LOG: Final = structlog.get_logger("spool")
_Made = TypeVar("_Made")


class Spool:
    """Keeps requests in the order they came, and gives them back in it. All of its I/O is in a thread of its own."""

    def __init__(self, root: Path, limit_bytes: int, vault: Vault) -> None:
        """`root` is TAMAS_SPOOL_DIR, `limit_bytes` how large this process lets its own part grow."""
        self._root: Final = root
        self._limit: Final = limit_bytes
        self._thread: Final = ThreadPoolExecutor(1, "spool")
        self._writer: Final = Writer(root, vault)
        self._reader: Final = Reader(vault)
        self._adopted: Final[list[Shelf]] = []
        self._done: Final[dict[Path, int]] = {}
        self._left: Final[deque[Found]] = deque()
        self._pending: Final[deque[tuple[Kept, asyncio.Future[bool]]]] = deque()
        self._coming: Final[Counter[UUID]] = Counter()
        self._stored: Final[Counter[UUID]] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self._bytes = 0
        self._trouble = ""
        self._trouble_at = float("-inf")
        self._closed = False
        self.some: Final = asyncio.Event()
        """Set while there may be something to drain."""

    def holds(self, inbox_id: UUID) -> bool:
        """Whether requests of this inbox wait: then its new ones have to wait behind them."""
        return inbox_id in self._stored or inbox_id in self._coming

    @property
    def waiting(self) -> int:
        """How many requests are not yet on the record."""
        return self._stored.total() + self._coming.total()

    def status(self) -> dict[str, Any]:
        """For /readyz: whether it could take a request now."""
        detail = "ok"
        if self._bytes >= self._limit:
            detail = f"full: {self._bytes} bytes, and TAMAS_SPOOL_LIMIT_BYTES is {self._limit}"
        elif time.monotonic() - self._trouble_at < _DOUBTED_SECONDS:
            detail = self._trouble
        return {"ok": detail == "ok", "waiting": self.waiting, "detail": detail}

    async def append(self, one: Submission) -> None:
        """Return once the request is on the disk.

        Raises:
            Away: it is not: the spool is full, or the disk fails or is too slow.
        """
        if self._closed or self._bytes >= self._limit:
            raise Away("the spool is full")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._coming[one.inbox_id] += 1
        self._pending.append((Kept(one.inbox_id, one.raw_id, one.request), done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        finished, _ = await asyncio.wait([done], timeout=_PATIENCE_SECONDS)
        if not finished or not done.result():
            raise Away("the spool's disk does not take it")

    async def adopt(self) -> None:
        """Take over what processes left that have ended."""
        try:
            found = await self._run(self._adopt)
        except OSError as error:
            self._note(error)
            return
        for shelf, counted, size in found:
            self._adopted.append(shelf)
            self._stored.update(counted)
            self._bytes += size
            self.some.set()
            _LOG.warning("spool adopted", folder=str(shelf.folder), requests=counted.total(), bytes=size)

    async def next(self, most: int) -> list[Found]:
        """The oldest requests, at most so many; empty when nothing waits. The same again until they are `drained`."""
        found, freed, is_empty = await self._run(lambda: self._read(most))
        self._bytes -= freed
        if is_empty:
            # Also what was counted and then could not be read.
            self._stored.clear()
            if not self._coming:
                self.some.clear()
        return found

    def drained(self, found: list[Found]) -> None:
        """These are on the record, the oldest of what `next` gave."""
        for kept, place in found:
            self._left.popleft()
            self._done[place.segment] = place.frame.end
            _less(self._stored, kept.inbox_id)

    async def refuse(self, place: Place) -> None:
        """Set a request aside that the record will never take."""
        await self._run(lambda: self._reader.refuse(place))

    async def close(self) -> None:
        """Write what is under way; what waits is for the next process."""
        self._closed = True
        if self._writing is not None:
            await self._writing
        await self._run(self._give_up)
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._pending:
            group: list[tuple[Kept, asyncio.Future[bool]]] = []
            size = 0
            while self._pending and size < _MOST_BYTES:
                group.append(self._pending.popleft())
                size += len(group[-1][0].request.body)
            is_kept = await self._kept([kept for kept, _ in group])
            for kept, done in group:
                _less(self._coming, kept.inbox_id)
                self._stored[kept.inbox_id] += is_kept
                if not done.done():
                    done.set_result(is_kept)
                if not is_kept and not self._stored[kept.inbox_id]:
                    del self._stored[kept.inbox_id]
            self.some.set()
        self._writing = None

    async def _kept(self, group: list[Kept]) -> bool:
        try:
            self._bytes += await self._run(lambda: self._writer.write(group))
        except Exception as error:  # noqa: BLE001 - told to the log
            # The edge: whatever is wrong with the disk or with one request, every waiter is answered.
            self._note(error)
            return False
        self._trouble_at = float("-inf")
        return True

    def _note(self, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: {error.strerror if isinstance(error, OSError) else error}"
        self._trouble_at = time.monotonic()
        _LOG.error("the spool takes nothing", error=self._trouble)

    async def _run(self, work: Callable[[], _Made]) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # From here on in the thread.

    def _adopt(self) -> list[tuple[Shelf, Counter[UUID], int]]:
        return [(shelf, *self._reader.count(shelf)) for shelf in Shelf.orphans(self._root)]

    def _read(self, most: int) -> tuple[list[Found], int, bool]:
        freed = 0
        while not self._left and (segment := self._oldest()) is not None:
            shelf, path, end = segment
            self._left.extend(self._reader.read(shelf, path, self._done.get(path, 0), end))
            if not self._left:
                freed += path.stat().st_size
                self._remove(path)
        found = [self._left[n] for n in range(min(most, len(self._left)))]
        return found, freed, not found

    def _oldest(self) -> tuple[Shelf, Path, int | None] | None:
        while self._adopted:
            shelf = self._adopted[0]
            for path in shelf.segments():
                return shelf, path, None
            shelf.close()
            del self._adopted[0]
        shelf = self._writer.shelf
        if shelf is not None:
            for path, end in self._writer.ends.items():
                return shelf, path, end
        return None

    def _remove(self, path: Path) -> None:
        self._done.pop(path, None)
        if path in self._writer.ends:
            self._writer.drop(path)
        else:
            path.unlink()

    def _give_up(self) -> None:
        for shelf in self._adopted:
            shelf.close()
        self._writer.close()


def _less(counter: Counter[UUID], inbox_id: UUID) -> None:
    if counter[inbox_id] > 1:
        counter[inbox_id] -= 1
    else:
        del counter[inbox_id]
