"""A mail server with TLS and logins (aiosmtpd), that keeps what it takes."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER: Final = "help"
PASSWORD: Final = "a password of the relay"


@dataclass
class Relay:
    port: int = 0
    taken: list[Envelope] = field(default_factory=list[Envelope])

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert session.authenticated
        self.taken.append(envelope)
        return "250 2.0.0 Taken"


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@asynccontextmanager
async def relay(certificate: Path, security: Literal["tls", "starttls"]) -> AsyncGenerator[Relay]:
    made, loop = Relay(), asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    options: dict[str, Any] = {"authenticator": _authenticate, "auth_required": True, "loop": loop}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"auth_require_tls": False}
    implicit = context if security == "tls" else None
    server = await loop.create_server(lambda: SMTP(made, **options), "127.0.0.1", 0, ssl=implicit)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
