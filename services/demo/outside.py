"""What cannot run here, as stand-ins on this machine: Twilio's API, and the mail servers of customers."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.demo.twilio import ACCOUNT, Twilio, running

_PATIENCE_SECONDS: Final = 10.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Mail:
    """One that was taken."""

    recipient: str
    content: bytes


@dataclass(slots=True)
class Mailboxes:
    """Takes every mail and keeps it. Listens at `port` of this machine."""

    port: int = 0
    taken: list[Mail] = field(default_factory=list[Mail])

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """The mail is here."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        self.taken += [Mail(recipient, raw) for recipient in envelope.rcpt_tos]
        return "250 2.0.0 Taken"


@dataclass(frozen=True, slots=True)
class Outside:
    """The stand-ins, running."""

    twilio: Twilio
    mailboxes: Mailboxes


@contextmanager
def outside(auth_token: str) -> Generator[Outside]:
    """Started on free ports, in a thread of their own; `auth_token` is that of the account at Twilio."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo-outside", daemon=True)
    thread.start()

    def there(work: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_PATIENCE_SECONDS)

    twilio = Twilio(auth_token, frozenset({(ACCOUNT, auth_token)}), reports=("sent", "delivered"))
    found, stack = Outside(twilio, Mailboxes()), AsyncExitStack()
    try:
        there(_open(found, stack))
        yield found
    finally:
        there(_close(stack))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE_SECONDS)
        loop.close()


async def _open(found: Outside, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(found.mailboxes, hostname="mx.example.com", enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(session, "127.0.0.1", 0)
    stack.callback(server.close)
    found.mailboxes.port = server.sockets[0].getsockname()[1]
    await stack.enter_async_context(running(found.twilio))


async def _close(stack: AsyncExitStack) -> None:
    await stack.aclose()
    # Those that serve a connection which dispatch keeps.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
