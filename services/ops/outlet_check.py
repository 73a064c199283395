"""Whether an inbox can send: the login at its mail server, the account at Twilio. Nothing is sent."""

import asyncio
from collections.abc import Iterator
from typing import Final

import httpx
import orjson
from aiosmtplib.errors import SMTPException

from channels.contract import Channel
from channels.email.outlet import Outlet
from channels.sending import MailAnswer, MailServer
from channels.twilio_account import TwilioAccount
from channels.twilio_post import account_url, headers
from services.wires.mail_session import Session

Finding = tuple[str, bool, str]
_SECONDS: Final = 10.0
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NOT_LET_IN: Final = frozenset({401, 403, 404})


def findings(handler: Channel) -> Iterator[Finding]:
    """Nothing for channels that need no provider to send."""
    config = getattr(handler, "config", None)
    if isinstance(config, Outlet):
        yield from _mail(config)
    if isinstance(config, TwilioAccount):
        yield _twilio(config)


def _mail(config: Outlet) -> Iterator[Finding]:
    if config.smtp_host is None:
        yield "sending", True, "it only receives: smtp_host is not set"
        return
    server = config.server
    yield asyncio.run(_login(server))
    if server.security == "none" and server.host not in _THIS_MACHINE:
        yield "sending in secret", server.password is None, "mails, and a password, leave in clear: set smtp_security"


async def _login(server: MailServer) -> Finding:
    place = f"{server.host}:{server.port}"
    try:
        session = await Session.open(server, _SECONDS)
    except (SMTPException, OSError, ValueError) as error:
        return "sending", False, f"{place} is not reached, or speaks no {server.security}: {error}"
    if isinstance(session, MailAnswer):
        return "sending", False, f"{place} does not let it in: {session.code} {session.text}"
    session.close()
    whom = "mails without a login" if server.user is None else f"{server.user} in"
    return "sending", True, f"{place} lets {whom}"


def _twilio(config: TwilioAccount) -> Finding:
    sid = config.account_sid
    if sid is None:
        return "sending", True, "it only takes in: account_sid is not set"
    try:
        answer = httpx.get(f"{account_url(config, sid)}.json", headers=headers(config, sid), timeout=_SECONDS)
    except httpx.HTTPError as error:
        return "sending", False, f"{config.api_base} is not reached: {error}"
    if answer.status_code in _NOT_LET_IN:
        return "sending", False, "Twilio does not let it in: account_sid, and auth_token or api_key with api_secret"
    try:
        status = orjson.loads(answer.content)["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "sending", False, f"{config.api_base} answers {answer.status_code}, but not as Twilio does"
    return "sending", status == "active", f"the account at Twilio is {status}"
