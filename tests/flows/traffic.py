"""What providers do: sign, post, mail, try again until they are told that it is kept, and send again what was kept.

Each customer's messages follow each other; customers write at the same time. The same seed sends the same bytes.
"""

import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx

from channels.signing import sign_twilio
from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.flows.installation import Installation, eventually

TENANT = "acme"
ALL_DOORS = ("sms", "sms", "sms", "form", "mail")
NUMBER, MAILBOX, AUTH_TOKEN = "+982191000000", "help@shop.example", "a token of twilio's for tests"
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
KEPT = {200, 202, 250}
TRY_AGAIN = {0, 451, 503}
_SENT_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


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


def open_doors(settings: Settings, http: str, smtp: str) -> Doors:
    """A tenant with a number, a mailbox and a form."""
    host, _, port = smtp.rpartition(":")
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant(TENANT, "Acme"))
        sms = tenancy.add_inbox(TENANT, NewInbox("sms/twilio", "sms", NUMBER, {}, {"auth_token": AUTH_TOKEN}))
        tenancy.add_inbox(TENANT, NewInbox("email/smtp", "mail", MAILBOX))
        form = tenancy.add_inbox(TENANT, NewInbox("forms/web", "form"))
    return Doors(http, (host, int(port)), f"/hooks/sms/twilio/{sms.key}", f"/forms/{form.key}")


def written_by(seed: int, count: int, doors: Sequence[str]) -> list[list[Message]]:
    """So many interactions, by customer; each customer has one door."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    customers = 30
    lanes: list[list[Message]] = [[] for _ in range(customers)]
    for _ in range(count):
        lane = chance.randrange(customers)
        door, number = doors[lane % len(doors)], len(lanes[lane])
        mail = f"mailto:customer{seed}-{lane}@example.org"
        address = mail if door == "mail" else f"tel:+98912{seed % 100:02}{lane:05}"
        lanes[lane].append(Message(door, address, number, f"{seed}/{lane}/{number}/{chance.getrandbits(64):016x}"))
    return lanes


@dataclass
class Traffic:
    """Sends, and keeps count."""

    doors: Doors
    lanes: list[list[Message]]
    seed: int
    accepted: list[Message] = field(default_factory=list[Message])
    duplicates: int = 0
    answers: Counter[int] = field(default_factory=Counter[int])
    """Statuses of HTTP and replies of SMTP; 0: the connection broke, or there was none."""
    _allowed: int = 0
    _begun: int = 0
    _lock: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def flowing(self, allowed: int = 1 << 30) -> Generator["Traffic"]:
        """Send all of it, while the test does its worst; ends when every message is accepted.

        Of it, only so many before `let` allows more.
        """
        self._allowed = allowed
        with ThreadPoolExecutor(len(self.lanes)) as senders:
            sending = [senders.submit(self._send_lane, index) for index in range(len(self.lanes))]
            try:
                yield self
            finally:
                self.let(1 << 30)
            for one in sending:
                one.result()

    def let(self, allowed: int) -> None:
        """Allow so many in all."""
        with self._lock:
            self._allowed = allowed
            self._lock.notify_all()

    def wait_for(self, count: int) -> None:
        """Until so many are accepted."""
        eventually(lambda: len(self.accepted) >= count, f"{count} accepted, not {len(self.accepted)}")

    def _send_lane(self, index: int) -> None:
        chance = random.Random(self.seed * 1000 + index)  # noqa: S311 - the same each time
        limits = httpx.Limits(max_keepalive_connections=1)
        with httpx.Client(timeout=10, trust_env=False, limits=limits) as client:
            for message in self.lanes[index]:
                with self._lock:
                    self._lock.wait_for(lambda: self._begun < self._allowed)
                    self._begun += 1
                self._deliver(client, message)
                with self._lock:
                    self.accepted.append(message)
                if chance.random() < 0.2:
                    self._deliver(client, message)
            for message in chance.sample(self.lanes[index], len(self.lanes[index]) // 10):
                self._deliver(client, message)

    def _deliver(self, client: httpx.Client, message: Message) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_kept(client, message):
            assert time.monotonic() < deadline, f"never accepted: {message}"
            time.sleep(_PAUSE_SECONDS)

    def _is_kept(self, client: httpx.Client, message: Message) -> bool:
        try:
            status, is_duplicate = _SEND[message.door](client, self.doors, message)
        except (httpx.TransportError, smtplib.SMTPServerDisconnected, OSError):
            status, is_duplicate = 0, False
        with self._lock:
            self.answers[status] += 1
            self.duplicates += is_duplicate
        return status in KEPT


def _sms(client: httpx.Client, doors: Doors, message: Message) -> tuple[int, bool]:
    sid = f"SM{message.text.replace('/', '-')}"
    params = [("MessageSid", sid), ("From", message.address.removeprefix("tel:")), ("To", NUMBER)]
    params.append(("Body", message.text))
    url = doors.http + doors.sms_path
    signature = sign_twilio(AUTH_TOKEN, url, params)
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return _told(client.post(url, content=urlencode(params), headers=headers))


def _form(client: httpx.Client, doors: Doors, message: Message) -> tuple[int, bool]:
    posted = {"name": "Zahra", "contact": message.address.removeprefix("tel:"), "message": message.text}
    return _told(client.post(doors.http + doors.form_path, json=posted, headers={"idempotency-key": message.text}))


def _told(answer: httpx.Response) -> tuple[int, bool]:
    return answer.status_code, answer.headers.get("tamas-result") == "duplicate"


def _mail(_: httpx.Client, doors: Doors, message: Message) -> tuple[int, bool]:
    sender = message.address.removeprefix("mailto:")
    sent_at = _SENT_AT + timedelta(minutes=message.number)
    lines = [
        f"From: {sender}",
        f"To: {MAILBOX}",
        "Subject: a question",
        f"Message-ID: <{message.text.replace('/', '.')}@example.org>",
        f"Date: {sent_at:%a, %d %b %Y %H:%M:%S} +0000",
        "",
        message.text,
        "",
    ]
    with smtplib.SMTP(*doors.smtp, timeout=10) as server:
        try:
            server.sendmail(sender, [MAILBOX], "\r\n".join(lines))
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[MAILBOX][0], False
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code, False
    return 250, False


_SEND = {"sms": _sms, "form": _form, "mail": _mail}


def traffic_to(up: Installation, seed: int, count: int, doors: Sequence[str] = ALL_DOORS) -> Traffic:
    """Traffic for a new installation."""
    found = up.endpoints
    return Traffic(open_doors(up.settings, found["http"], found["smtp"]), written_by(seed, count, doors), seed)


def traffic_again(up: Installation, before: Traffic, lanes: list[list[Message]]) -> Traffic:
    """To the same inboxes, where their doors are now."""
    host, _, port = up.endpoints["smtp"].rpartition(":")
    doors = replace(before.doors, http=up.endpoints["http"], smtp=(host, int(port)))
    return Traffic(doors, lanes, before.seed + 1)
