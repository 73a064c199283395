"""Mails of 50 KB: reading alone beside the standard library, and a parser worker from the raw rows to the record."""

import email
import smtplib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import policy
from email.message import EmailMessage, Message

import psycopg

from services.settings import Settings
from tests.bench.figures import Figure, paired, single
from tests.bench.letters import letters
from tests.bench.process import cpu_seconds
from tests.bench.stand import MAILBOX, Servers, add_doors, running
from tests.channels.samples import channel, mail

_ROUNDS = 5
_READ = 90
_TAKEN = 600
_WITHOUT = 0.1
_PATIENCE_SECONDS = 300.0
_CHANNEL = "email/smtp"


def mails(found: Servers) -> list[Figure]:
    """What the standard library does is measured in turn; the last two also decode what the mail says."""
    settings = found.settings()
    add_doors(settings, _CHANNEL)
    rates = defaultdict[str, list[float]](list)
    costs: list[float] = []
    for number in range(_ROUNDS + 1):
        read = {name: _rate(reads, letters(_READ, number, MAILBOX)) for name, reads in _READERS.items()}
        worked, cost = _worker(settings, letters(_TAKEN, _ROUNDS + 1 + number, MAILBOX))
        if number:
            costs.append(cost)
            rates["worker"].append(worked)
            for name, rate in read.items():
                rates[name].append(rate)
    others = [name for name in _READERS if name != _OURS]
    return [
        *(paired("50 KB mails read", rates[_OURS], rates[name], "/s", name) for name in others),
        *(
            paired("50 KB mails by a parser worker", rates["worker"], rates[name], "/s", name)
            for name in rates
            if name != "worker"
        ),
        single("CPU of a parser worker for a 50 KB mail", costs, "ms"),
    ]


def _parsed(raw: bytes) -> None:
    channel(_CHANNEL).parse(mail(raw))


def _compat32(raw: bytes) -> None:
    email.message_from_bytes(raw)


def _default(raw: bytes) -> None:
    email.message_from_bytes(raw, policy=policy.default)


def _compat32_decoded(raw: bytes) -> None:
    told: Message = email.message_from_bytes(raw)
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        str(told[name])
    for part in told.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and part.get_content_maintype() == "text":
            content.decode(part.get_content_charset("utf-8"), "replace")


def _default_decoded(raw: bytes) -> None:
    told = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(told, EmailMessage)
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        str(told[name])
    for part in told.walk():
        with suppress(KeyError):  # multiparts have no content
            part.get_content()


_OURS = "reading alone"
_READERS: dict[str, Callable[[bytes], None]] = {
    _OURS: _parsed,
    "message_from_bytes, compat32, nothing decoded": _compat32,
    "message_from_bytes, default, nothing decoded": _default,
    "message_from_bytes, compat32, decoded": _compat32_decoded,
    "message_from_bytes, default, decoded": _default_decoded,
}


def _rate(reads: Callable[[bytes], None], given: list[bytes]) -> float:
    """Mails a second of CPU: others use this machine too."""
    began = time.process_time()
    for raw in given:
        reads(raw)
    return len(given) / (time.process_time() - began)


def _worker(settings: Settings, given: list[bytes]) -> tuple[float, float]:
    """Taken by the door while no parser runs; mails a second from the first tenth on, and milliseconds of CPU each."""
    with running(settings, "ingress") as edge:
        _send(edge.addresses["smtp"], given)
    with running(settings, "parser") as worker, psycopg.connect(settings.record_url, autocommit=True) as connection:
        assert worker.process is not None
        waiting = _waiting(connection)
        first = next(left for left in waiting if left <= len(given) * (1 - _WITHOUT))
        began, spent = time.perf_counter(), cpu_seconds(worker.process.pid)
        next(left for left in waiting if not left)
        took = time.perf_counter() - began
        return first / took, (cpu_seconds(worker.process.pid) - spent) / first * 1000


def _waiting(connection: psycopg.Connection) -> Iterator[int]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        row = connection.execute("SELECT count(*) FROM service.pending").fetchone()
        assert row is not None
        yield row[0]
        time.sleep(0.02)
    raise AssertionError("the parser did not end")


def _send(smtp: str, given: list[bytes]) -> None:
    host, _, port = smtp.rpartition(":")
    with smtplib.SMTP(host, int(port)) as door:
        for raw in given:
            door.sendmail("customer@example.com", [MAILBOX], raw)
