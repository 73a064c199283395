"""One connection to a mail server, step by step, so that it is known what was sent when it breaks."""

import asyncio
import re
from typing import Final, Literal, Self, cast

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPResponseException, SMTPServerDisconnected

from channels.sending import MailAnswer, MailServer

_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")
_DOT: Final = re.compile(rb"(?m)^\.")
_FIRST_LOOK_SECONDS: Final = 0.001
_LONGEST_LOOK_SECONDS: Final = 0.05
_REFUSED: Final = 400
_GO_ON: Final = 354


class Session:
    """Logged in, between two mails."""

    def __init__(self, client: SMTP, patience_seconds: float) -> None:
        """As `open` makes it."""
        self._client: Final = client
        self._patience: Final = patience_seconds

    @classmethod
    async def open(cls, server: MailServer, patience_seconds: float) -> Self | MailAnswer:
        """Connect and log in; a refusal is an answer. Raises what aiosmtplib and sockets do when there is none."""
        client = SMTP(
            hostname=server.host,
            port=server.port,
            timeout=patience_seconds,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            username=server.user,
            password=server.password,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except SMTPResponseException as refusal:
            client.close()
            if refusal.code < _REFUSED:
                raise
            return MailAnswer(refusal.code, refusal.message, "connect")
        return cls(client, patience_seconds)

    @property
    def is_open(self) -> bool:
        """As far as is known on this side."""
        return self._client.is_connected

    def close(self) -> None:
        """At once, without a farewell."""
        self._client.close()

    async def envelope(self, sender: str, recipient: str, content: bytes) -> MailAnswer | None:
        """MAIL, RCPT and DATA; the first refusal, None when the server asks for the mail."""
        options = self._options(sender, recipient, content)
        if isinstance(options, MailAnswer):
            return options
        refused = await self._said("mail", b"MAIL", b"FROM:<%s>" % sender.encode(), *options)
        if refused is None:
            refused = await self._said("rcpt", b"RCPT", b"TO:<%s>" % recipient.encode())
        return refused or await self._said("data", b"DATA")

    async def write(self, content: bytes) -> None:
        """The mail without the dot that ends it, out of our own buffers (RFC 5321 section 4.5.2)."""
        whole = _DOT.sub(b"..", _LINE_ENDS.sub(b"\r\n", content))
        protocol, transport = self._client.protocol, cast("asyncio.WriteTransport | None", self._client.transport)
        if protocol is None or transport is None:
            raise SMTPServerDisconnected("Connection lost")
        protocol.write(whole if whole.endswith(b"\r\n") else whole + b"\r\n")
        look = _FIRST_LOOK_SECONDS
        held, moved_at = transport.get_write_buffer_size(), asyncio.get_running_loop().time()
        while held:
            await asyncio.sleep(look)
            look = min(2 * look, _LONGEST_LOOK_SECONDS)
            left, now = transport.get_write_buffer_size(), asyncio.get_running_loop().time()
            if transport.is_closing():
                raise SMTPServerDisconnected("Connection lost")
            if left == held and now - moved_at > self._patience:
                raise TimeoutError
            moved_at = now if left != held else moved_at
            held = left
        if transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")

    async def end(self, verdict_seconds: float) -> MailAnswer:
        """The dot, and the reply to the mail."""
        response = await self._client.execute_command(b".", timeout=verdict_seconds)
        return MailAnswer(response.code, response.message, "end")

    async def reset(self) -> bool:
        """Forget the mail that was refused; whether the connection can be used again."""
        try:
            response = await self._client.execute_command(b"RSET", timeout=self._patience)
        except (SMTPResponseException, SMTPServerDisconnected, OSError, TimeoutError):
            return False
        return response.code < _REFUSED

    async def _said(self, phase: Literal["mail", "rcpt", "data"], *command: bytes) -> MailAnswer | None:
        response = await self._client.execute_command(*command, timeout=self._patience)
        if response.code >= _REFUSED:
            return MailAnswer(response.code, response.message, phase)
        if phase == "data" and response.code != _GO_ON:
            raise SMTPResponseException(response.code, response.message)
        return None

    def _options(self, sender: str, recipient: str, content: bytes) -> list[bytes] | MailAnswer:
        """Of MAIL: RFC 1870, RFC 6152, RFC 6531; or the refusal that the server would give."""
        offers, options = self._client.esmtp_extensions, list[bytes]()
        if "size" in offers:
            most = offers["size"].strip()
            if most.isdecimal() and 0 < int(most) < len(content):
                return MailAnswer(552, f"5.3.4 Its limit is {most} bytes", "mail")
            options.append(b"SIZE=%d" % len(content))
        if "8bitmime" in offers and not content.isascii():
            options.append(b"BODY=8BITMIME")
        if not (sender.isascii() and recipient.isascii()):
            if "smtputf8" not in offers:
                return MailAnswer(553, "5.6.7 It offers no SMTPUTF8", "mail")
            options.append(b"SMTPUTF8")
        return options
