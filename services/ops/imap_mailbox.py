"""An `email/imap` inbox from the command line: what the server says to us, and a mail put into the mailbox."""

import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from imapclient.exceptions import IMAPClientError

from channels.contract import Channel
from channels.email.imap import Imap, ImapConfig
from services.ingress.imap.session import Session
from services.ingress.imap.troubles import trouble
from services.ops.output import shown
from services.ops.request_file import Recorded
from services.record.errors import Refused
from services.settings import Settings

_PLACES: Final = """
    SELECT mailbox, uidvalidity, kept_uid, moved_at FROM service.mailboxes WHERE inbox_id = %s"""
_OK: Final = "OK"
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Finding = tuple[str, bool, str]
_Places = Mapping[str, tuple[int, int, datetime]]


def findings(settings: Settings, inbox_id: UUID, handler: Channel) -> Iterator[Finding]:
    """Log in once, as the role `imap` does, and tell what is there."""
    config = _config(handler)
    try:
        session = Session.open(config)
    except (IMAPClientError, OSError) as error:
        yield "login", False, trouble(error, config).reason
        return
    try:
        yield "login", True, f"{config.host}:{config.door} lets {config.user} in"
        yield _secrecy(config)
        yield "news", True, _news(session, config)
        if config.after == "move":
            can = session.offers("MOVE")
            yield (
                "marks",
                can,
                f"mails are moved to {config.folder}" if can else "the server cannot move mails: set after",
            )
        places = _places(settings, inbox_id)
        for mailbox in config.mailbox:
            yield _mailbox(session, config, mailbox, places)
    finally:
        session.close()


def put(handler: Channel, recorded: Recorded, times: int) -> Iterator[Mapping[str, object]]:
    """APPEND a mail to the first mailbox, this often; yields each answer. Raises `Refused` in the server's words."""
    config = _config(handler)
    try:
        session = Session.open(config)
        try:
            for number in range(1, times + 1):
                started = time.perf_counter()
                said = session.append(config.mailbox[0], recorded.crlf())
                yield {
                    "number": number,
                    "status": _OK,
                    "result": None,
                    "event_ids": [],
                    "request_id": None,
                    "answer": said,
                    "seconds": round(time.perf_counter() - started, 4),
                }
        finally:
            session.close()
    except (IMAPClientError, ssl.SSLError) as error:
        raise Refused(trouble(error, config).reason) from error


def _config(handler: Channel) -> ImapConfig:
    if not isinstance(handler, Imap):
        raise TypeError("no inbox of email/imap")
    return handler.config


def _secrecy(config: ImapConfig) -> Finding:
    if config.tls != "none":
        return "secrecy", True, f"TLS ({config.tls}), the certificate is verified"
    if config.host in _THIS_MACHINE:
        return "secrecy", True, "no TLS, on this machine"
    return "secrecy", False, "the password and all mails travel in clear: set tls=implicit or tls=starttls"


def _news(session: Session, config: ImapConfig) -> str:
    if not session.offers("IDLE"):
        return f"the server does not tell of new mail: it is asked every {config.poll_seconds} s"
    first, *more = config.mailbox
    others = f"; the other mailboxes are looked at every {config.poll_seconds} s" if more else ""
    return f"the server tells of new mail in {first} (IDLE){others}"


def _mailbox(session: Session, config: ImapConfig, mailbox: str, places: _Places) -> Finding:
    name = f"mailbox {mailbox}"
    try:
        found = session.select(mailbox)
    except IMAPClientError as error:
        return name, False, trouble(error, config).reason
    if not found.is_writable:
        return name, False, "it may only be read: what is on the record cannot be marked there"
    known = places.get(mailbox)
    if known is None or known[0] != found.uidvalidity:
        return name, True, f"{found.mails} mails, not read yet: does the role imap run?"
    if known[1] >= found.uidnext - 1:
        return name, True, f"{found.mails} mails, all are on the record"
    return name, True, f"{found.mails} mails; what came since {shown(known[2])} is not read yet"


def _places(settings: Settings, inbox_id: UUID) -> _Places:
    with psycopg.connect(settings.record_url, autocommit=True, connect_timeout=5) as connection:
        return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(_PLACES, (inbox_id,)).fetchall()}
