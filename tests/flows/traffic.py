"""What providers do: sign, post, mail, try again until they are told that it is kept, and send again what was kept.

Each customer's messages follow each other; customers write at the same time. The same seed sends the same bytes.
"""

import random
import smtplib
import threading
import time
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from tests.flows.doors.calls import Gateway
from tests.flows.doors.chat import Visitor
from tests.flows.doors.opened import ALL_DOORS, KEPT, MAILBOX, NUMBER, Doors, Message, open_doors
from tests.flows.doors.signed import post_signed, told
from tests.flows.installation import Installation, eventually

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.1
_SENT_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
Send = Callable[[Message], tuple[int, bool]]


def written_by(seed: int, count: int, doors: Sequence[str], customers: int = 30) -> list[list[Message]]:
    """So many interactions, by customer; each customer has one door."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    lanes: list[list[Message]] = [[] for _ in range(customers)]
    for _ in range(count):
        lane = chance.randrange(customers)
        door, number = doors[lane % len(doors)], len(lanes[lane])
        text = f"{seed}/{lane}/{number}/{chance.getrandbits(64):016x}"
        lanes[lane].append(Message(door, _address(door, seed, lane), number, text))
    return lanes


def _address(door: str, seed: int, lane: int) -> str:
    match door:
        case "mail":
            return f"mailto:customer{seed}-{lane}@example.org"
        case "chat":
            drawn = b32encode(f"{seed:08}{lane:08}".encode()).decode()[:26].lower()
            return f"chat:v.{drawn}"
        case _:
            return f"tel:+98912{seed % 100:02}{lane:05}"


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
    by_door: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """The same by door."""
    _allowed: int = 0
    _begun: int = 0
    _sending: list[Future[None]] = field(default_factory=list[Future[None]])
    _lock: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def flowing(self, allowed: int = 1 << 30) -> Generator["Traffic"]:
        """Send all of it, while the test does its worst; ends when every message is accepted.

        Of it, only so many before `let` allows more.
        """
        self._allowed = allowed
        with ThreadPoolExecutor(len(self.lanes)) as senders:
            self._sending = [senders.submit(self._send_lane, index) for index in range(len(self.lanes))]
            try:
                yield self
            finally:
                self.let(1 << 30)
            for one in self._sending:
                one.result()

    def let(self, allowed: int) -> None:
        """Allow so many in all."""
        with self._lock:
            self._allowed = allowed
            self._lock.notify_all()

    def kept(self) -> int:
        """How many answers kept something, repeats too; raises what a sender ended with."""
        for one in self._sending:
            if one.done():
                one.result()
        return sum(self.answers[status] for status in KEPT)

    def wait_for(self, count: int) -> None:
        """Until so many are accepted."""
        eventually(lambda: len(self.accepted) >= count, f"{count} accepted, not {len(self.accepted)}")

    def _send_lane(self, index: int) -> None:
        lane = self.lanes[index]
        chance = random.Random(self.seed * 1000 + index)  # noqa: S311 - the same each time
        if not lane:
            return
        with _opened(lane[0].door, self.doors) as send:
            for message in lane:
                with self._lock:
                    self._lock.wait_for(lambda: self._begun < self._allowed)
                    self._begun += 1
                self._deliver(send, message)
                with self._lock:
                    self.accepted.append(message)
                if chance.random() < 0.2:
                    self._deliver(send, message)
            for message in chance.sample(lane, len(lane) // 10):
                self._deliver(send, message)

    def _deliver(self, send: Send, message: Message) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_kept(send, message):
            assert time.monotonic() < deadline, f"never accepted: {message}"
            time.sleep(_PAUSE_SECONDS)

    def _is_kept(self, send: Send, message: Message) -> bool:
        try:
            status, is_duplicate = send(message)
        except (httpx.TransportError, smtplib.SMTPServerDisconnected, OSError):
            status, is_duplicate = 0, False
        with self._lock:
            self.answers[status] += 1
            self.by_door[message.door, status] += 1
            self.duplicates += is_duplicate
        return status in KEPT


@contextmanager
def _opened(door: str, doors: Doors) -> Generator[Send]:
    """What sends one customer's messages through this door."""
    if door == "chat":
        visitor = Visitor(doors)
        try:
            yield visitor.send
        finally:
            visitor.leave()
        return
    limits = httpx.Limits(max_keepalive_connections=1)
    with httpx.Client(timeout=10, trust_env=False, limits=limits) as client:
        yield Gateway(client, doors).send if door == "call" else partial(_SEND[door], client, doors)


def _sms(client: httpx.Client, doors: Doors, message: Message) -> tuple[int, bool]:
    sid = f"SM{message.text.replace('/', '-')}"
    params = [("MessageSid", sid), ("From", message.address.removeprefix("tel:")), ("To", NUMBER)]
    return post_signed(client, doors.http + doors.sms_path, [*params, ("Body", message.text)])


def _form(client: httpx.Client, doors: Doors, message: Message) -> tuple[int, bool]:
    posted = {"name": "Zahra", "contact": message.address.removeprefix("tel:"), "message": message.text}
    return told(client.post(doors.http + doors.form_path, json=posted, headers={"idempotency-key": message.text}))


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


def traffic_to(
    up: Installation, seed: int, count: int, doors: Sequence[str] = ALL_DOORS, customers: int = 30
) -> Traffic:
    """Traffic for a new installation."""
    found = up.endpoints
    opened = open_doors(up.settings, found["http"], found["smtp"], doors)
    return Traffic(opened, written_by(seed, count, doors, customers), seed)


def traffic_again(up: Installation, before: Traffic, lanes: list[list[Message]]) -> Traffic:
    """To the same inboxes, where their doors are now."""
    host, _, port = up.endpoints["smtp"].rpartition(":")
    doors = replace(before.doors, http=up.endpoints["http"], smtp=(host, int(port)))
    return Traffic(doors, lanes, before.seed + 1)
