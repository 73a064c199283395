"""The way out over SMTP (RFC 5321): a mail is taken, refused or never sent, or nobody knows.

A server takes a mail with the dot that ends it: before that dot is written nothing was sent, after it only the server's
reply tells.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from aiosmtplib.errors import SMTPException

from channels.sending import MailAnswer, MailServer, Unanswered, Unsent
from services.wires.mail_session import Session

_MOST_SESSIONS: Final = 8
"""To one server at a time; the others wait for their turn."""

_KEPT_SECONDS: Final = 20.0
_PATIENCE_SECONDS: Final = 30.0
_VERDICT_SECONDS: Final = 600.0
"""After the dot (RFC 5321 section 4.5.3.2.6): who gives up earlier is in doubt though the mail was taken."""


@dataclass(frozen=True, slots=True)
class _Kept:
    session: Session
    since: float


class MailWire:
    """`channels.sending.Submit` on aiosmtplib. One per process, for tasks of one loop."""

    def __init__(
        self, *, patience_seconds: float = _PATIENCE_SECONDS, verdict_seconds: float = _VERDICT_SECONDS
    ) -> None:
        """How long a server may be silent, and how long after the end of a mail."""
        self._patience: Final = patience_seconds
        self._verdict: Final = verdict_seconds
        self._turns: Final = defaultdict[MailServer, asyncio.Semaphore](lambda: asyncio.Semaphore(_MOST_SESSIONS))
        self._kept: Final = defaultdict[MailServer, list[_Kept]](list)

    async def submit(self, server: MailServer, sender: str, recipient: str, content: bytes) -> MailAnswer:
        """The reply that ended it. Raises `Unsent`, `Unanswered`."""
        async with self._turns[server]:
            session = self._take(server)
            if session is not None:
                try:
                    return await self._through(server, session, sender, recipient, content)
                except _Closed:
                    pass
            opened = await self._open(server)
            if isinstance(opened, MailAnswer):
                return opened
            try:
                return await self._through(server, opened, sender, recipient, content)
            except _Closed as closed:
                raise Unsent("the server closed the connection") from closed

    async def close(self) -> None:
        """Close its connections."""
        for kept in self._kept.values():
            for one in kept:
                one.session.close()
        self._kept.clear()

    async def _open(self, server: MailServer) -> Session | MailAnswer:
        try:
            return await Session.open(server, self._patience)
        except (SMTPException, OSError, ValueError) as error:
            raise Unsent(type(error).__name__) from error

    async def _through(
        self, server: MailServer, session: Session, sender: str, recipient: str, content: bytes
    ) -> MailAnswer:
        """Raises `_Closed` when the server had closed the connection, or closes it now, before it heard of the mail."""
        is_good = False
        try:
            refused = await self._offered(session, sender, recipient, content)
            if refused is None:
                answer = await self._ended(session)
                is_good = True
                return answer
            is_good = refused.code != _CLOSING and await session.reset()
            if refused.code == _CLOSING and refused.phase == "mail":
                raise _Closed
            return refused
        finally:
            # Also when the task is cancelled in the middle: what follows would be an answer to something else.
            if is_good and session.is_open:
                self._kept[server].append(_Kept(session, asyncio.get_running_loop().time()))
            else:
                session.close()

    async def _offered(self, session: Session, sender: str, recipient: str, content: bytes) -> MailAnswer | None:
        """The first refusal; None when all but the dot is written."""
        try:
            refused = await session.envelope(sender, recipient, content)
        except (SMTPException, OSError, ValueError) as error:
            raise _Closed from error
        if refused is not None:
            return refused
        try:
            await session.write(content)
        except (SMTPException, OSError, TimeoutError) as error:
            raise Unsent("the connection broke within the mail") from error
        return None

    async def _ended(self, session: Session) -> MailAnswer:
        try:
            return await session.end(self._verdict)
        except (SMTPException, OSError) as error:
            raise Unanswered("the connection broke after the mail") from error

    def _take(self, server: MailServer) -> Session | None:
        """The connection that was used last: it is the least likely to be closed."""
        kept, now = self._kept[server], asyncio.get_running_loop().time()
        while kept:
            one = kept.pop()
            if one.session.is_open and now - one.since < _KEPT_SECONDS:
                return one.session
            one.session.close()
        return None


_CLOSING: Final = 421


class _Closed(Exception):
    """Nothing of the mail was sent."""
