"""Inboxes of a new tenant, and what is sent to them."""

from collections.abc import Collection
from dataclasses import dataclass

from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant

TENANT = "acme"
ALL_DOORS = ("sms", "sms", "sms", "form", "mail")
FIVE_KINDS = ("sms", "mail", "chat", "form", "call")
NUMBER, MAILBOX, AUTH_TOKEN = "+982191000000", "help@shop.example", "a token of twilio's for tests"
CALLED = "+982191000001"
KEPT = {200, 202, 250}
TRY_AGAIN = {0, 451, 503}


@dataclass(frozen=True)
class Message:
    """One interaction. `text` is unique, and grows with the customer's own `number`."""

    door: str
    address: str
    number: int
    text: str


@dataclass(frozen=True)
class Doors:
    """Where to send to."""

    http: str
    smtp: tuple[str, int]
    sms_path: str
    form_path: str
    chat_path: str = ""
    call_path: str = ""


def open_doors(settings: Settings, http: str, smtp: str, doors: Collection[str] = ALL_DOORS) -> Doors:
    """A tenant with a number, a mailbox and a form; with a chat and a number for calls where they are among `doors`."""
    host, _, port = smtp.rpartition(":")
    chat_path = call_path = ""
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(TENANT, "Acme"))
        sms = tenancy.add_inbox(TENANT, NewInbox("sms/twilio", "sms", NUMBER, {}, {"auth_token": AUTH_TOKEN}))
        tenancy.add_inbox(TENANT, NewInbox("email/smtp", "mail", MAILBOX))
        form = tenancy.add_inbox(TENANT, NewInbox("forms/web", "form"))
        if "chat" in doors:
            chat_path = f"/chat/{tenancy.add_inbox(TENANT, NewInbox('chat/widget', 'chat')).key}/socket"
        if "call" in doors:
            answer = {"answer": "dial:sip:desk@pbx.example"}
            calls = NewInbox("voice/twilio", "calls", CALLED, answer, {"auth_token": AUTH_TOKEN})
            call_path = f"/hooks/voice/twilio/{tenancy.add_inbox(TENANT, calls).key}"
    smtp_at = (host, int(port))
    return Doors(http, smtp_at, f"/hooks/sms/twilio/{sms.key}", f"/forms/{form.key}", chat_path, call_path)
