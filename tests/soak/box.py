"""The box that is looked at: one `tamas up` with its own servers, its doors, and how far it is behind."""

from dataclasses import dataclass

import psycopg

from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.bench.traffic import RECIPIENT, TOKEN
from tests.flows.installation import Installation
from tests.soak.mix import MAILBOX, Doors

TENANT = "soak"
_FACTS = "SELECT position FROM record.facts ORDER BY position DESC LIMIT 1"
_PENDING = "SELECT count(*) FROM service.pending"
_RELAYED = "SELECT coalesce(max(position), 0) FROM service.relay_cursor"
_VIEWED = "SELECT coalesce(min(position), 0) FROM views.positions"


@dataclass(frozen=True)
class Behind:
    """What is accepted and not yet further: mails to read, facts to publish, facts to bring to the timeline."""

    parser: int
    relay: int
    projector: int

    @property
    def all(self) -> int:
        return self.parser + self.projector


class Watch:
    """Asks how far it is."""

    def __init__(self, settings: Settings) -> None:
        self._record = psycopg.connect(settings.record_url, autocommit=True)
        self._views = psycopg.connect(settings.views_url, autocommit=True)

    def behind(self) -> Behind:
        # What is further down the way first, so that nothing counts as behind that came meanwhile.
        viewed = _number(self._views, _VIEWED)
        relayed = _number(self._record, _RELAYED)
        head, pending = _number(self._record, _FACTS), _number(self._record, _PENDING)
        return Behind(pending, max(0, head - relayed), max(0, head - viewed))

    def close(self) -> None:
        self._record.close()
        self._views.close()


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return 0 if row is None else int(row[0])


def open_doors(up: Installation, twenties: int, customers: int) -> tuple[Doors, dict[str, str]]:
    """A tenant with five inboxes; also the kind of each by its id."""
    found = up.endpoints
    token = {"auth_token": TOKEN}
    inboxes = {
        "sms": NewInbox("sms/twilio", "sms", RECIPIENT, {}, token),
        "form": NewInbox("forms/web", "form"),
        "call": NewInbox("voice/twilio", "call", RECIPIENT, {"answer": "say:We call you back."}, token),
        "chat": NewInbox("chat/widget", "chat"),
        "mail": NewInbox("email/smtp", "mail", MAILBOX),
    }
    with Tenancy(up.settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(TENANT, "Soak", "IR", "Asia/Tehran", "fa", "persian"))
        made = {kind: tenancy.add_inbox(TENANT, inbox) for kind, inbox in inboxes.items()}
    paths = {"sms": "/hooks/sms/twilio", "form": "/forms", "call": "/hooks/voice/twilio", "chat": "/chat"}
    doors = {kind: f"{path}/{made[kind].key}" for kind, path in paths.items()}
    kinds = {str(view.inbox.inbox_id): kind for kind, view in made.items()}
    return Doors(found["http"], found["smtp"], **doors, twenties=twenties, customers=customers), kinds
