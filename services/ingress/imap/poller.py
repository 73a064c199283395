"""One inbox: connect, visit its mailboxes, wait until the server tells or time has passed; back off when it fails."""

import asyncio
import contextlib
import random
from typing import Final

import psycopg
import structlog
from imapclient.exceptions import IMAPClientError

from services.ingress.imap.desk import Work
from services.ingress.imap.session import Session
from services.ingress.imap.troubles import Trouble, pause_seconds, trouble
from services.ingress.imap.visit import Visitor
from services.ingress.submission import Away
from services.record.errors import Fenced

_LOG: Final = structlog.get_logger("imap")
_RECORD_AWAY_SECONDS: Final = 1.0


class Poller:
    """Runs until it is cancelled, or another process holds the lease."""

    def __init__(self, work: Work) -> None:
        """Nothing is connected yet."""
        self._work: Final = work
        self._visitor: Final = Visitor(work)
        self._failures = 0
        self._log: Final = _LOG.bind(inbox_id=str(work.inbox.inbox_id))

    async def run(self) -> None:
        """Connect, and connect again; a server that refuses us is left alone for a long time."""
        while True:
            try:
                await self._attend()
            except Fenced:
                self._log.info("another process reads this inbox")
                return
            except (IMAPClientError, OSError) as error:
                await self._back_off(trouble(error, self._work.config))
            except Exception as error:
                # The edge: a fault of ours over one mailbox keeps no other waiting.
                self._log.exception("a mailbox could not be read")
                fault = f"a fault of ours: {type(error).__name__}, see the log of the role imap"
                await self._back_off(Trouble("away", fault))

    async def _attend(self) -> None:
        on_thread = self._work.desk.on_thread
        opening = asyncio.ensure_future(on_thread(Session.open, self._work.config))
        try:
            session: Session = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_abort)
            raise
        try:
            while True:
                await self._round(session)
                await self._wait(session)
            # Only an exception leads out of here.
        except (IMAPClientError, OSError, asyncio.CancelledError):
            session.abort()
            raise
        except BaseException:
            await on_thread(session.close)
            raise

    async def _round(self, session: Session) -> None:
        """All mailboxes, the first one last, so that it is selected when we wait."""
        while True:
            try:
                for mailbox in reversed(self._work.config.mailbox):
                    await self._visitor.visit(session, mailbox)
            except (Away, psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._log.warning("the record is away", error=type(error).__name__)
                await asyncio.sleep(_RECORD_AWAY_SECONDS)
            else:
                self._failures = 0
                self._work.is_well("refused", "away")
                return

    async def _wait(self, session: Session) -> None:
        config, on_thread = self._work.config, self._work.desk.on_thread
        if not await on_thread(session.offers, "IDLE"):
            await asyncio.sleep(config.poll_seconds)
            return
        is_only = len(config.mailbox) == 1
        seconds = config.idle_seconds if is_only else min(config.poll_seconds, config.idle_seconds)
        is_news: bool = await on_thread(session.idle)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not is_news:
                    await _readable(session.fileno())
                    is_news = await on_thread(session.heard)
        # A connection that some router has forgotten shows here: nobody answers.
        await on_thread(session.end_idle)

    async def _back_off(self, found: Trouble) -> None:
        self._failures += 1
        self._work.count(found.kind)
        self._work.note(found.kind, found.reason)
        seconds = pause_seconds(found.kind, self._failures, random.random())  # noqa: S311 - spreads, hides nothing
        self._log.warning("a mailbox is left alone for a while", kind=found.kind, seconds=round(seconds, 1))
        await asyncio.sleep(seconds)


async def _readable(fileno: int) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(fileno, told.set)
    try:
        await told.wait()
    finally:
        loop.remove_reader(fileno)


def _abort(opening: "asyncio.Future[Session]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abort()
