"""Fixtures of a mail library with what its specs assert, by the names of its accessors.

An accessor that we have no answer to is a failure. The common ones stand in `expect` as well, under other names.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from channels.email import automatic, bounce, dates, mime, thread
from channels.email.address import addresses, groups
from channels.email.mime import Mail
from channels.email.parts import Part
from channels.errors import Malformed
from tests.corpora.contract import Case, Scored, Tally, fold, input_bytes

_INDEXED: Final = re.compile(r"^(attachments|parts|received)(?:\[(\d+)\]|\.(first))\.(.+)$")


def score(case: Case, folder: Path) -> Scored | None:
    asserts = case["expect"].get("asserts", [])
    try:
        mail = mime.read(input_bytes(case, folder))
    except Malformed as error:
        return Scored(len(asserts), tuple(f"{one['path']}: {error}" for one in asserts)) if asserts else None
    tally = Tally()
    for one in asserts:
        _compare(one, mail, tally)
    return tally.scored()


def _compare(one: dict[str, Any], mail: Mail, tally: Tally) -> None:
    path = str(one["path"])
    wanted: Any = one["value"]
    reader = _reader(path)
    if reader is None:
        tally.holds(path, is_true=False, detail="not given")
        return
    found = reader(mail)
    if path == "date" or path.endswith(("_date", ".date_time")):
        wanted = dates.parse(str(wanted["date"]))
    match one["op"]:
        case "eq":
            tally.equal(path, fold(wanted) if path.endswith(".info") else wanted, found)
        case "not_eq":
            tally.holds(path, found != wanted, f"got {found!r:.200}")
        case "predicate" | "truthy":
            tally.equal(path, bool(wanted), bool(found))
        case "not_predicate":
            tally.equal(path, not wanted, bool(found))
        case other:
            tally.holds(path, is_true=False, detail=f"no way to compare by {other}")


def _reader(path: str) -> Callable[[Mail], Any] | None:
    if found := _READERS.get(path) or _ANSWERS.get(path):
        return found
    match = _INDEXED.match(path)
    if match is None or (match[1], match[4]) not in _OF_ONE:
        return None
    reader, at = _OF_ONE[match[1], match[4]], int(match[2] or 0)
    return lambda mail: reader(_listed(mail, match[1])[at])


def _listed(mail: Mail, kind: str) -> list[Any]:
    match kind:
        case "attachments":
            return _files(mail)
        case "parts":
            return [part for part in mail.parts if part.parent == 0]
        case _:
            return [field.source for field in mail.headers.all("Received")]


def _files(mail: Mail) -> list[Part]:
    """Files of the mail and of the mails inside it, those with a name or a disposition, as the library counts them."""
    files: list[Part] = []
    for part in mail.parts:
        if part.name or part.disposition == "attachment":
            files.append(part)
        if part.number in mail.nested:
            files += _files(mail.nested[part.number])
    return files


def _first(mail: Mail) -> bounce.Failure | None:
    report = bounce.read(mail)
    return report.failures[0] if report and report.failures else None


def _report_field(name: str) -> Callable[[Mail], str | None]:
    def read(mail: Mail) -> str | None:
        failure = _first(mail)
        return failure.fields.text(name) if failure else None

    return read


def _field_addresses(name: str) -> Callable[[Mail], list[str]]:
    return lambda mail: [person.address for field in mail.headers.all(name) for person in addresses(field.source)]


def _id_of(name: str) -> Callable[[Mail], str | None]:
    return lambda mail: next(iter(thread.message_ids(mail.headers.source(name) or "")), None)


def _is_status_report(mail: Mail) -> bool:
    return bounce.is_report(mail)


def _failed(mail: Mail) -> bool:
    report = bounce.read(mail)
    return report is not None and report.is_failure


def _retryable(mail: Mail) -> bool:
    failure = _first(mail)
    return failure is not None and not failure.is_permanent


def _children(part: Part, mail: Mail) -> list[Part]:
    return [other for other in mail.parts if other.parent == part.number]


def _status_part(mail: Mail) -> Part | None:
    return next((part for part in mail.parts if part.media_type == "message/delivery-status"), None)


def _main_is_file(mail: Mail) -> bool:
    return bool(mail.parts[0].name) or mail.parts[0].disposition == "attachment"


_READERS: Final[dict[str, Callable[[Mail], Any]]] = {
    "from": _field_addresses("From"), "[:from].addresses": _field_addresses("From"), "to": _field_addresses("To"),
    "cc": _field_addresses("Cc"), "reply_to": _field_addresses("Reply-To"), "bcc": _field_addresses("Bcc"),
    "[:from].addresses.first.to_s": lambda mail: mail.from_[0].address,
    "[:to].addresses.first.to_s": lambda mail: mail.to[0].address,
    "sender": lambda mail: mail.sender and mail.sender.address,
    "resent_from": _field_addresses("Resent-From"), "resent_to": _field_addresses("Resent-To"),
    "resent_date": lambda mail: dates.parse(mail.headers.source("Resent-Date") or ""),
    "resent_message_id": _id_of("Resent-Message-ID"),
    "[:cc].group_names": lambda mail: groups(mail.headers.source("Cc") or ""),
    "[:to].group_names": lambda mail: groups(mail.headers.source("To") or ""),
    "subject": lambda mail: mail.subject, "date": lambda mail: mail.date, "message_id": lambda mail: mail.message_id,
    "in_reply_to": _id_of("In-Reply-To"), "[:in_reply_to].message_ids": lambda mail: list(mail.in_reply_to),
    "[:references].message_ids": lambda mail: list(mail.references),
    "attachments.length": lambda mail: len(_files(mail)), "attachments.size": lambda mail: len(_files(mail)),
    "parts.length": lambda mail: len(_listed(mail, "parts")), "parts.size": lambda mail: len(_listed(mail, "parts")),
    "parts.first.parts.size": lambda mail: len(_children(_listed(mail, "parts")[0], mail)),
    "boundary": lambda mail: mail.parts[0].media.params.get("boundary"),
    "main_type": lambda mail: mail.parts[0].media.type, "sub_type": lambda mail: mail.parts[0].media.subtype,
    "multipart": lambda mail: mail.parts[0].is_multipart, "multipart?": lambda mail: mail.parts[0].is_multipart,
    "attachment?": _main_is_file, "attachment": _main_is_file, "has_attachments": lambda mail: bool(_files(mail)),
    "has_attachments?": lambda mail: bool(_files(mail)), "content_disposition": lambda mail: mail.parts[0].disposition,
    "multipart_report": lambda mail: mail.parts[0].media.subtype == "report",
    "delivery_status_report": _is_status_report,
    "delivery_status_part": _status_part, "bounced": _failed, "retryable": _retryable,
    "action": lambda mail: (_first(mail) or bounce.Failure("", "", "", "", "", mail.headers)).action,
    "error_status": lambda mail: (_first(mail) or bounce.Failure("", "", "", "", "", mail.headers)).status,
    "final_recipient": _report_field("Final-Recipient"), "diagnostic_code": _report_field("Diagnostic-Code"),
    "remote_mta": _report_field("Remote-MTA"), "auto_submitted": lambda mail: automatic.classify(mail).kind,
}  # fmt: skip
_ANSWERS: Final[dict[str, Callable[[Mail], Any]]] = {
    "[:from].to_s": lambda mail: ", ".join(map(str, mail.from_)),
    "[:to].to_s": lambda mail: ", ".join(map(str, mail.to)),
    "reply.in_reply_to": lambda mail: mail.message_id,
    "reply.references": lambda mail: " ".join(thread.answering(mail.message_id, mail.in_reply_to, mail.references)),
    "reply.subject": lambda mail: thread.answer_subject(mail.subject),
    # An answer goes out from the address that the mail came to.
    "reply.from": lambda mail: [person.address for person in mail.to[:1]],
    "reply[:from].to_s": lambda mail: ", ".join(map(str, mail.to[:1])),
    "reply.to": lambda mail: [person.address for person in mail.reply_to or mail.from_],
    "reply[:to].to_s": lambda mail: ", ".join(map(str, mail.reply_to or mail.from_)),
    "[:content_disposition].errors.empty": lambda mail: not any("Content-Disposition" in one for one in mail.defects),
    "content_type": lambda mail: "; ".join(
        [mail.parts[0].media_type, *(f"{name}={value}" for name, value in mail.parts[0].media.params.items())]
    ),
}
_OF_ONE: Final[dict[tuple[str, str], Callable[[Any], Any]]] = {
    ("attachments", "filename"): lambda part: part.name,
    ("attachments", "decoded.length"): lambda part: len(part.content),
    ("attachments", "decoded.size"): lambda part: len(part.content),
    ("attachments", "content_type"): lambda part: part.media_type,
    ("parts", "attachment?"): lambda part: bool(part.name) or part.disposition == "attachment",
    ("parts", "boundary"): lambda part: part.media.params.get("boundary"),
    ("parts", "decoded"): lambda part: part.text,
    ("received", "date_time"): dates.parse,
    ("received", "info"): lambda source: fold(source.rpartition(";")[0]),
}
