"""The demo's own tenant: its inboxes, each set up to send to the stand-ins, and a token for the API."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.demo.outside import Outside
from services.demo.plan import FORM_FIELDS, MAILBOX, NUMBER
from services.demo.replies import FALLBACK_MINUTES, HANGS_UP, NO_MOBILE, NO_MOBILE_FAULT, UNREPORTED
from services.demo.send import Gateways
from services.demo.twilio import ACCOUNT
from services.desk.users import add_user, drawn_password
from services.settings import Settings
from services.tenancy.doors import door_url
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from services.tenancy.tokens import add_token

_TENANT: Final = "shop"
_LOGIN: Final = "demo"


@dataclass(frozen=True, slots=True)
class House:
    """What was set up."""

    gateways: Gateways
    chat_url: str
    token: str


def set_up(found: Settings, http: str, smtp: str, there: Outside) -> House:
    """Tenant, inboxes, token. `http` and `smtp` are where the front door listens."""
    twilio = there.twilio
    twilio.modes[HANGS_UP], twilio.faults[NO_MOBILE] = "hangs_up", NO_MOBILE_FAULT
    twilio.unreported |= {HANGS_UP, UNREPORTED}
    at_twilio = {"account_sid": ACCOUNT, "api_base": twilio.base, "fallback_minutes": FALLBACK_MINUTES}
    outlet = {"smtp_host": "127.0.0.1", "smtp_port": str(there.mailboxes.port), "smtp_security": "none"}
    new = (
        NewInbox("sms/twilio", "support", NUMBER, at_twilio, {"auth_token": twilio.token}),
        NewInbox("forms/web", "write-to-us", "write-to-us", {"fields": FORM_FIELDS}),
        NewInbox("chat/widget", "chat", "chat"),
        NewInbox("email/smtp", "help", MAILBOX, outlet),
    )
    with Tenancy(found) as tenancy:
        tenancy.add_tenant(RegisterTenant(slug=_TENANT, name="فروشگاه نمونه"))
        views = [tenancy.add_inbox(_TENANT, one) for one in new]
    _, token = add_token(found.record_url, _TENANT, "demo", "operator", timedelta(days=1))
    sms, form, chat, _ = (door_url(http, one.inbox.channel, one.key, one.inbox.address) or "" for one in views)
    return House(Gateways(sms, twilio.token, form, smtp), chat, token)


def add_agent(found: Settings) -> tuple[str, str]:
    """Somebody who may sign in to the desk: login and password."""
    password = drawn_password()
    add_user(found.record_url, _TENANT, _LOGIN, "Demo", password)
    return _LOGIN, password
