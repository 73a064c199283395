"""One connection to an IMAP server (RFC 9051), synchronous: call it on a thread. imapclient does the talking.

Everything raises `imapclient`'s IMAPClientError (the server says no), its AbortError (the connection is of no use any
more) or OSError (the network; TLS; a timeout).
"""

import contextlib
import socket
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, cast

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, IMAPClientReadOnlyError

from channels.email import identity
from channels.email.imap import ImapConfig

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
KEYWORD: Final = "$TamasKept"
HEADER_LIMIT_BYTES: Final = 1 << 20
_SEEN: Final = rb"\Seen"


@dataclass(frozen=True, slots=True)
class Selected:
    """A mailbox as it was when it was selected. UIDs are below `uidnext`; `is_writable` false: no marking."""

    uidvalidity: int
    uidnext: int
    mails: int
    is_writable: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail, or its header alone, with what makes it the same mail again (`identity`)."""

    uid: int
    content: bytes
    source_key: str
    internal_date: datetime | None


class _Client(IMAPClient):
    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:
        """Also true for what came in one packet with "+ idling": it is read already, and no poll will tell of it."""
        imap: Any = self._imap
        own = getattr(imap, "_readbuf", None)  # Python 3.14 has a buffer of its own there
        try:
            is_waiting = bool(own) if own is not None else bool(imap.file.peek(1))
        except OSError:
            is_waiting = False
        return is_waiting or super()._poll_socket(sock, timeout)


class Session:
    """Logged in. One thread at a time."""

    def __init__(self, client: IMAPClient) -> None:
        """Use `Session.open`."""
        self._client: Final[Any] = client  # what it returns is typed in this class

    @classmethod
    def open(cls, config: ImapConfig) -> Self:
        """Connect, TLS verified, and log in. LoginError when the server refuses it."""
        client = _connected(config)
        try:
            _log_in(client, config)
        except BaseException:
            with contextlib.suppress(Exception):
                client.shutdown()
            raise
        return cls(client)

    def close(self) -> None:
        """Say good-bye if anybody listens."""
        with contextlib.suppress(IMAPClientError, OSError):
            self._client.logout()
        self.abort()

    def abort(self) -> None:
        """Break the connection, from any thread: whatever waits for an answer raises."""
        with contextlib.suppress(OSError, AttributeError):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, AttributeError, IMAPClientError):
            self._client.shutdown()

    def fileno(self) -> int:
        """For waiting until the server says something."""
        return self._client.socket().fileno()

    def offers(self, capability: str) -> bool:
        """Whether the server can do it; asks it the first time."""
        return bool(self._client.has_capability(capability))

    def select(self, mailbox: str) -> Selected:
        """Open a mailbox, for reading alone where we may no more."""
        try:
            found, is_writable = self._client.select_folder(mailbox), True
        except IMAPClientReadOnlyError:
            found, is_writable = self._client.select_folder(mailbox, readonly=True), False
        uidnext = found.get(b"UIDNEXT")
        if uidnext is None:
            # A server of before RFC 3501: the highest there is, and one more.
            uidnext = max(self._uids("*"), default=0) + 1
        return Selected(found.get(b"UIDVALIDITY", 0), uidnext, found[b"EXISTS"], is_writable)

    def uids(self, first: int, last: int) -> list[int]:
        """Those between and with these two that are there, ascending."""
        return [uid for uid in self._uids(f"{first}:{last}") if first <= uid <= last]

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each, as the server tells; one that is gone is not in it."""
        found = self._client.fetch(uids, ["RFC822.SIZE"])
        return {uid: held[b"RFC822.SIZE"] for uid, held in found.items() if b"RFC822.SIZE" in held}

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """Whole mails, in the order of their UIDs, left as unseen as they were; one that is gone is not in it."""
        return self._fetch(uids, "BODY.PEEK[]", b"BODY[]")

    def headers(self, uid: int) -> list[Fetched]:
        """The first MiB of a mail's header."""
        return self._fetch([uid], f"BODY.PEEK[HEADER]<0.{HEADER_LIMIT_BYTES}>", b"BODY[HEADER]<0>")

    def flag(self, uids: Collection[int], *, keyword: bool) -> None:
        """Show that these are on the record."""
        self._client.add_flags(list(uids), [KEYWORD if keyword else _SEEN], silent=True)

    def move(self, uids: Collection[int], folder: str) -> None:
        """Put these elsewhere (RFC 6851)."""
        self._client.move(list(uids), folder)

    def has(self, folder: str) -> bool:
        """Whether there is a folder of this name."""
        return bool(self._client.folder_exists(folder))

    def create(self, folder: str) -> None:
        """Make a folder."""
        self._client.create_folder(folder)

    def append(self, mailbox: str, content: bytes) -> str:
        """Put a mail into a mailbox; returns the server's words."""
        return self._client.append(mailbox, content).decode("utf-8", "replace")

    def idle(self) -> bool:
        """Let the server tell by itself (RFC 2177); True when it has told of new mail already."""
        self._client.idle()
        return _is_news(self._client.idle_check(timeout=0))

    def heard(self) -> bool:
        """Once `fileno` is readable: whether it tells of new mail, or is closed."""
        told = self._client.idle_check(timeout=0)
        return not told or _is_news(told)

    def end_idle(self) -> None:
        """Back to commands; raises when the other end is gone."""
        self._client.idle_done()

    def _uids(self, sequence: str) -> list[int]:
        return sorted(self._client.search(["UID", sequence]))

    def _fetch(self, uids: Sequence[int], item: str, key: bytes) -> list[Fetched]:
        found: dict[int, dict[bytes, Any]] = self._client.fetch(uids, [item, "INTERNALDATE"])
        return [_fetched(uid, held.get(key), held.get(b"INTERNALDATE")) for uid, held in sorted(found.items())]


def _fetched(uid: int, content: object, internal_date: datetime | None) -> Fetched:
    if not isinstance(content, bytes):
        raise IMAPClientError(f"UID {uid} is told without its content")
    return Fetched(uid, content, identity.source_key(content), internal_date)


def _is_news(told: Sequence[Any]) -> bool:
    return any(b"EXISTS" in said for said in told)


def _connected(config: ImapConfig) -> IMAPClient:
    # Verified against the system's authorities, or SSL_CERT_FILE.
    context = None if config.tls == "none" else ssl.create_default_context()
    client = _Client(
        config.host,
        config.door,
        ssl=config.tls == "implicit",
        ssl_context=context if config.tls == "implicit" else None,
        timeout=cast("float", SocketTimeout(CONNECT_SECONDS, READ_SECONDS)),
    )
    client.normalise_times = False
    if config.tls == "starttls":
        try:
            client.starttls(context)
        except BaseException:
            with contextlib.suppress(Exception):
                client.shutdown()
            raise
    return client


def _log_in(client: IMAPClient, config: ImapConfig) -> None:
    secret = config.password.get_secret_value()
    if config.login == "xoauth2":
        client.oauth2_login(config.user, secret)
    else:
        client.login(config.user, secret)
