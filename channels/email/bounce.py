"""Delivery reports: RFC 3464, and the free-form bounces of older and careless servers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from channels.email import thread
from channels.email.headers import Headers, split
from channels.email.mime import Mail
from channels.email.parts import Part

_MOST_RECIPIENTS: Final = 100
_MOST_REPORTS: Final = 10
_MOST_REPORT_BYTES: Final = 65_536
_MOST_CHARS: Final = 16_384
_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|mmdf|mdaemon|bounces?|"
    r"mail[-_ ]?delivery[-_ ]?(?:sub)?system)"
    r"(?:\+.*)?(?:@|$)",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"undeliver|delivery (?:status notification|failure|has failed|report|incomplete)|returned (?:mail|to sender)|"
    r"mail delivery failed|failure notice|delivery.{0,20}(?:fail|delay)|nondeliverable|message (?:status|delayed)|"
    r"mail system error|could not be delivered|unzustellbar|nicht zugestellt|non remis|non distribu|"
    r"no se pudo entregar|"
    r"mancata consegna|niet bezorgd|onbestelbaar|недоставлен|не доставлено|配信不能|退信|برگشت|تحویل نشد",
    re.IGNORECASE,
)
_DELAYED: Final = re.compile(
    r"\bdelay(?:ed)?\b|still (?:being )?(?:re)?tr(?:ying|ied)|will (?:be retried|keep trying)|warning:", re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"<?\b([\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10})>?")
_CODE: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?<!\d)([45]\d\d)[ -](?=\D)")
_REASON: Final = re.compile(r"^.*(?<![\d.])(?:[45]\.\d{1,3}\.\d{1,3}|[45]\d\d[ -]).*$", re.MULTILINE)
_ORIGINAL_ID: Final = re.compile(r"^[ \t>]*Message-ID:\s*<([^<>\s]{1,500})>", re.IGNORECASE | re.MULTILINE)
_ORIGINAL_BEGINS: Final = re.compile(
    r"^[ \t>]*-+ ?(?:this is a copy of|original message|the (?:header|body) of|below this line|returned message|"
    r"unsent message)"
    r"|^[ \t>]*(?:return-path|received):",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a report says of one recipient. `action`: failed, delayed, delivered, relayed or expanded (RFC 3464)."""

    address: str
    action: str
    status: str
    """Enhanced status code (RFC 3463), like `5.1.1`; "" when the report has none."""

    diagnostic: str
    remote_server: str
    fields: Headers
    """The recipient's fields as the report has them."""

    @property
    def is_permanent(self) -> bool:
        """Trying again is of no use."""
        return self.status.startswith("5") or (self.action == "failed" and not self.status.startswith("4"))


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about the mail `original_id` (without brackets; None when the report does not tell)."""

    failures: tuple[Failure, ...]
    original_id: str | None
    is_standard: bool
    """RFC 3464; else read off the text."""

    @property
    def is_failure(self) -> bool:
        """At least one recipient will not get the mail."""
        return any(failure.action == "failed" for failure in self.failures)


def read(mail: Mail) -> Bounce | None:
    """The delivery report in a mail, or None when it is none."""
    statuses = [part for part in mail.parts if part.media.type == "message" and "delivery-status" in part.media.subtype]
    failures = tuple(failure for part in statuses[:_MOST_REPORTS] for failure in _failures(part))
    if failures:
        return Bounce(failures[:_MOST_RECIPIENTS], _original_id(mail), is_standard=True)
    if is_report(mail) or statuses or _looks_like_bounce(mail):
        return _from_text(mail)
    return None


def is_report(mail: Mail) -> bool:
    """multipart/report with report-type delivery-status."""
    media = mail.parts[0].media
    return (media.type, media.subtype) == ("multipart", "report") and media.params.get("report-type", "").lower() in {
        "delivery-status",
        "global-delivery-status",
    }


def _failures(part: Part) -> Iterator[Failure]:
    for fields in islice(_groups(part.content[:_MOST_REPORT_BYTES]), _MOST_RECIPIENTS + 1):
        recipient = fields.text("Final-Recipient") or fields.text("Original-Recipient")
        action = next(iter(fields.token("Action").split()), "")
        if recipient is None and not action:
            continue
        status = _CODE.search(fields.text("Status") or fields.text("Diagnostic-Code") or "")
        yield Failure(
            address=_typed(recipient or ""),
            action=action or "failed",
            status=status[1] if status else "",
            diagnostic=_typed(fields.text("Diagnostic-Code") or ""),
            remote_server=_typed(fields.text("Remote-MTA") or ""),
            fields=fields,
        )


def _groups(content: bytes) -> Iterator[Headers]:
    """Field groups between blank lines; the first is about the message, the others about one recipient each."""
    at = 0
    while at < len(content):
        while content[at : at + 1] in {b"\r", b"\n"}:
            at += 1
        fields, after = split(content, at)
        yield fields
        if after <= at:
            return
        at = after


def _typed(value: str) -> str:
    """`rfc822; somebody@host` without its type."""
    kind, semicolon, rest = value.partition(";")
    text = rest if semicolon and kind.strip().replace("-", "").isalnum() else value
    text = text.strip()
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _original_id(mail: Mail) -> str | None:
    for inner in mail.nested.values():
        if inner.message_id:
            return inner.message_id
    originals = [part for part in mail.parts if part.media.subtype in {"rfc822-headers", "global-headers"}]
    for part in originals[:_MOST_REPORTS]:
        found = thread.message_ids(split(part.content)[0].source("Message-ID") or "")
        if found:
            return found[0]
    match = _ORIGINAL_ID.search(mail.text[:_MOST_CHARS])
    return match[1] if match else None


def _looks_like_bounce(mail: Mail) -> bool:
    """A daemon's name with a bounce's subject or an empty envelope sender, or the field that Exim adds."""
    if mail.headers.first("X-Failed-Recipients"):
        return True
    is_daemon = any(_DAEMON.match(person.address) or _DAEMON.match(person.name) for person in mail.from_)
    says_so = _SUBJECT.search(mail.subject) is not None
    return (is_daemon and (says_so or mail.return_path == "")) or (mail.return_path == "" and says_so)


def _from_text(mail: Mail) -> Bounce:
    text = mail.text[:_MOST_CHARS]
    cut = _ORIGINAL_BEGINS.search(text)
    story = text[: cut.start()] if cut else text
    status = _status(story)
    reason = _REASON.search(story)
    is_delay = _DELAYED.search(f"{mail.subject}\n{story}") is not None and not status.startswith("5")
    failures = tuple(
        Failure(
            address=address,
            action="delayed" if is_delay else "failed",
            status=status,
            diagnostic=reason[0].strip() if reason else "",
            remote_server="",
            fields=Headers(()),
        )
        for address in _named(mail, story)
    )
    return Bounce(failures, _original_id(mail), is_standard=False)


def _status(story: str) -> str:
    code = _CODE.search(story)
    if code:
        return code[1]
    reply = _REPLY.search(story)
    return f"{reply[1][0]}.0.0" if reply else ""


def _named(mail: Mail, story: str) -> list[str]:
    """Addresses that the report is about: Exim's field, else those in the text that are not its sender or receiver."""
    field = mail.headers.text("X-Failed-Recipients")
    if field:
        return [address.strip() for address in field.split(",") if address.strip()][:_MOST_RECIPIENTS]
    own = {person.address.lower() for person in (*mail.from_, *mail.to, *mail.reply_to)}
    found = (match[1].rstrip(".") for match in _ADDRESS.finditer(story))
    return list(dict.fromkeys(address for address in found if address.lower() not in own))[:_MOST_RECIPIENTS]
