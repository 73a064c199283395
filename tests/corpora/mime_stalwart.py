"""Full parses: headers, body structure, decoded text, digests of attachments; LF and CRLF line ends."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.email import mime
from channels.email.address import Address
from channels.email.mime import Mail
from channels.email.parts import Part
from channels.errors import Malformed
from tests.corpora.contract import Case, Scored, Tally, input_bytes


def score(case: Case, folder: Path) -> Scored | None:
    expect = case["expect"]
    try:
        mail = mime.read(_input(case, folder))
    except Malformed as error:
        return Scored(len(expect), tuple(f"{name}: {error}" for name in expect))
    tally = Tally()
    seen = shown(mail, expect)
    for name, value in expect.items():
        if name == "date":
            tally.equal(name, datetime.fromisoformat(value) if value else None, mail.date)
        elif name == "attachments":
            tally.equal(name, value, _attachments(mail, value))
        else:
            tally.equal(name, value, seen.get(name))
    return tally.scored()


def _input(case: Case, folder: Path) -> bytes:
    """The suite runs each mail twice: with every line end as LF (ids that end in `.lf`) and as CRLF."""
    raw = input_bytes(case, folder)
    return raw.replace(b"\r\n", b"\n") if case["id"].endswith(".lf") else raw


def people(addresses: tuple[Address, ...]) -> list[dict[str, str | None]]:
    return [{"name": person.name or None, "address": person.address or None} for person in addresses]


def shown(mail: Mail, expect: dict[str, Any]) -> dict[str, Any]:
    """Our mail in the words of the corpus."""
    text_parts = [mail.parts[number] for number in mail.body.text]
    html_parts = [mail.parts[number] for number in mail.body.html]
    return {
        "from": people(mail.from_),
        "to": people(mail.to),
        "cc": people(mail.cc),
        "bcc": people(mail.bcc),
        "reply_to": people(mail.reply_to),
        "sender": people((mail.sender,)) if mail.sender else None,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to)
        if isinstance(expect.get("in_reply_to"), list)
        else "".join(mail.in_reply_to[:1]),
        "references": list(mail.references),
        "text_parts": [part.text for part in text_parts if part.media_type == "text/plain"],
        "html_parts": [part.text for part in html_parts if part.media_type == "text/html"],
        "text_body_part_indexes": mail.body.text,
        "html_body_part_indexes": mail.body.html,
        "part_count": len(mail.parts),
        "has_encoding_problem": any(part.is_damaged for part in mail.parts),
    }


def _attachments(mail: Mail, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is attached, each with the keys that the corpus has for it."""
    parts = [mail.parts[number] for number in mail.body.attached]
    if len(parts) != len(expected):
        return [_described(mail, part) for part in parts]
    return [_only(_described(mail, part), wanted, mail, part) for part, wanted in zip(parts, expected, strict=True)]


def _only(described: dict[str, Any], wanted: dict[str, Any], mail: Mail, part: Part) -> dict[str, Any]:
    found = {name: described.get(name) for name in wanted if name != "message"}
    if "message" in wanted:
        inner = mail.nested.get(part.number)
        found["message"] = None if inner is None else _message(inner, wanted["message"])
    return found


def _message(mail: Mail, wanted: dict[str, Any]) -> dict[str, Any]:
    seen = shown(mail, wanted) | {
        "date": mail.date and mail.date.isoformat(),
        "attachments": _attachments(mail, wanted.get("attachments", [])),
    }
    return {name: seen.get(name) for name in wanted}


def _described(mail: Mail, part: Part) -> dict[str, Any]:
    kind = "message" if part.is_mail else "text" if part.text is not None else "binary"
    if kind == "binary" and part.number in {*mail.body.text, *mail.body.html}:
        kind = "inlinebinary"
    text = part.text or ""
    return {
        "index": part.number,
        "content_type": part.media_type,
        "kind": kind,
        "encoding_problem": part.is_damaged,
        "text": text,
        "charset": part.charset,
        "filename": part.name,
        "content_id": part.content_id,
        "disposition": part.disposition or None,
        "size": len(text.encode()) if kind == "text" else len(part.content),
        "sha256": hashlib.sha256(text.encode() if kind == "text" else part.content).hexdigest(),
    }
