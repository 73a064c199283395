"""The SMTP and LMTP door (aiosmtpd): a mail is taken raw; 250 means that it is committed, parsers read it after."""

import asyncio
from datetime import UTC, datetime
from typing import Any, AnyStr, Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.contract import InboundRequest
from channels.email import identity
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.submission import Away, Submission
from services.tenancy.directory import Directory, Inbox

_CHANNEL: Final = "email/smtp"
MAIL_LIMIT_BYTES: Final = 25 << 20
_MOST_RECIPIENTS: Final = 100
_LOG: Final = structlog.get_logger("mail")

_LONGEST_LINE: Final = 1 << 20
"""Real mails break the 998 characters of RFC 5321 every day; a refusal would lose them."""

_KEPT: Final = "250 2.0.0 Kept"
_FAULT: Final = "451 4.3.0 A fault of ours, try again"
_AWAY: Final = "451 4.3.0 Nothing can be stored at the moment, try again"
_UNKNOWN: Final = "550 5.1.1 No such mailbox here"
_TOO_MANY: Final = "452 4.5.3 Too many recipients"


class _Smtp(SMTP):
    line_length_limit = _LONGEST_LINE


class _Lmtp(LMTP):
    line_length_limit = _LONGEST_LINE
    _owed = 0

    async def push(self, status: AnyStr) -> None:
        """After a mail every recipient is owed an answer (RFC 2033 section 4.2), also where aiosmtpd refuses it."""
        said = status if isinstance(status, bytes) else status.encode()
        if said.startswith(b"354") and self.envelope is not None:
            self._owed = len(self.envelope.rcpt_tos)
        elif self._owed:
            said = said if b"\r\n" in said else b"\r\n".join([said] * self._owed)
            self._owed = 0
        await super().push(said)


class MailDoor:
    """aiosmtpd's handler. The recipient finds the inbox; what aiosmtpd calls are the `handle_…` methods."""

    def __init__(self, directory: Directory, intake: Intake, log: RequestLog) -> None:
        """The same parts as the hooks have."""
        self._directory: Final = directory
        self._intake: Final = intake
        self._requests: Final = log

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Commands are read one after the other as they lie there (RFC 2920, which RFC 2033 section 5 demands)."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_exception(self, _error: Exception) -> str:
        """A fault of ours must not make a sender give a mail up, as aiosmtpd's own 500 would."""
        _LOG.exception("a mail could not be taken")
        return _FAULT

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """550 for a mailbox that is not ours, before its mail is sent."""
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return _TOO_MANY
        if await self._directory.lookup_address(_CHANNEL, address) is None:
            self._requests.tally.turned_away["away" if self._directory.away else "no_mailbox"] += 1
            return _AWAY if self._directory.away else _UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        """Commit the mail for each recipient's inbox; LMTP is told of each (RFC 2033), SMTP of all together."""
        body = envelope.content if isinstance(envelope.content, bytes) else b""
        key = identity.source_key(body)
        answers = [await self._take(session, envelope, recipient, body, key) for recipient in envelope.rcpt_tos]
        if isinstance(server, LMTP):
            return "\r\n".join(answers)
        return next((given for given in answers if given != _KEPT), _KEPT)

    async def _take(self, session: Session, envelope: Envelope, recipient: str, body: bytes, key: str) -> str:
        inbox = await self._directory.lookup_address(_CHANNEL, recipient)
        if inbox is None:
            return _AWAY
        one = Submission(
            _request(session, envelope, recipient, inbox, body), inbox.inbox_id, pending=True, source_key=key
        )
        try:
            outcome = await self._intake.submit(one)
        except Away:
            self._requests.tally.refuse(inbox.inbox_id, "away")
            return _AWAY
        if outcome.result == "duplicate":
            self._requests.repeated(inbox, one)
        return _KEPT


def _request(session: Session, envelope: Envelope, recipient: str, inbox: Inbox, body: bytes) -> InboundRequest:
    peer = session.peer[0] if isinstance(session.peer, tuple) else ""
    # Bytes that are no UTF-8 arrive as halves of surrogate pairs, which the record does not hold.
    sender = (envelope.mail_from or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return InboundRequest(
        method="MAIL",
        url=f"mailto:{recipient}",
        headers=(("mail-from", sender), ("rcpt-to", recipient), ("received-from", str(peer))),
        body=body,
        received_at=datetime.now(UTC),
        origin=inbox.origin,
    )


async def listen(door: MailDoor, address: str, *, lmtp: bool = False) -> tuple[asyncio.Server, str]:
    """Open the port (0 = any free one); returns the server and the `host:port` it got."""
    host, _, port = address.rpartition(":")
    options: dict[str, Any] = {"data_size_limit": MAIL_LIMIT_BYTES, "enable_SMTPUTF8": True, "ident": "Tamas"}
    kind = _Lmtp if lmtp else _Smtp
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(door, loop=loop, **options), host, int(port))
    got = server.sockets[0].getsockname()
    return server, f"{got[0]}:{got[1]}"
