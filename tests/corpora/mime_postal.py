"""Inline mails of a parser's tests. Texts are compared with white space folded, files by their lines.

The library ends every line of a file with LF, also where the mail has CRLF, none, or only the one that belongs to the
delimiter behind it (RFC 2046 section 5.1.1). Both forms of the same lines count as the file.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.email import markup, mime
from channels.email.address import Address
from channels.email.mime import Attachment, Mail
from channels.errors import Malformed
from tests.corpora.contract import Case, Scored, Tally, fold, input_bytes


def score(case: Case, folder: Path) -> Scored | None:
    expect = case["expect"]
    try:
        mail = mime.read(input_bytes(case, folder))
    except Malformed as error:
        failures = tuple(f"{name}: {error}" for name in expect if name != "error")
        return Scored(len(expect), failures)
    tally = Tally()
    for name, wanted in expect.items():
        _compare(name, wanted, mail, tally)
    return tally.scored()


def _compare(name: str, wanted: Any, mail: Mail, tally: Tally) -> None:
    match name:
        case "from" | "sender":
            people = mail.from_ if name == "from" else (mail.sender,) if mail.sender else ()
            tally.equal(name, wanted, _person(people[0]) if people else None)
        case "to" | "cc" | "reply_to":
            tally.equal(name, wanted, [_person(person) for person in getattr(mail, name)])
        case "message_id":
            tally.equal(name, wanted.strip("<>"), mail.message_id)
        case "in_reply_to":
            tally.equal(name, wanted.strip("<>"), "".join(mail.in_reply_to[:1]))
        case "subject":
            tally.folded(name, wanted, mail.subject)
        case "date":
            tally.equal(name, _moment(wanted), mail.date)
        case "text":
            tally.folded(name, wanted, mail.text)
        case "html":
            tally.equal(name, fold(markup.text_of(wanted)), fold(markup.text_of(mail.html or "")))
        case "attachments":
            _attachments(wanted, mail, tally)
        case _:
            tally.holds(name, is_true=False, detail="not given")


def _person(person: Address) -> dict[str, str]:
    return {"address": person.address, "name": person.name}


def _moment(value: str) -> datetime | None:
    """The library keeps what it cannot read as the string that it was."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _attachments(wanted: list[dict[str, Any]], mail: Mail, tally: Tally) -> None:
    files = mime.files(mail)
    described = [_described(file, one) for file, one in zip(files, wanted, strict=False)]
    tally.equal("attachments", (len(wanted), wanted), (len(files), described))


def _described(file: Attachment, wanted: dict[str, Any]) -> dict[str, Any]:
    disposition = "attachment" if not file.is_inline else "inline"
    content = next((form for form in _forms(file.content) if _digest(form) == wanted["sha256"]), file.content)
    return {
        "filename": file.name,
        "content_type": file.media_type,
        "disposition": wanted["disposition"] if wanted["disposition"] in {None, disposition} else disposition,
        "content_id": f"<{file.content_id}>" if file.content_id else None,
        "size": len(content),
        "sha256": _digest(content),
    }


def _forms(content: bytes) -> list[bytes]:
    lines = content.replace(b"\r\n", b"\n")
    return [content, lines, lines + b"\n"]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
