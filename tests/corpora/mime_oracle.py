"""Real and hostile mails with what at least two of three parsers agree on; texts with white space folded."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from channels.email import markup, mime
from channels.email.address import Address
from channels.email.mime import Mail
from channels.errors import Malformed
from tests.corpora.contract import Case, Scored, Tally, fold, input_bytes

_DETAILS: Final = frozenset({"text_norm_len", "html_norm_len", "text_prefix", "html_prefix"})
_BLANKS: Final = re.compile(r"\s+")


def score(case: Case, folder: Path) -> Scored | None:
    expect = {name: wanted for name, wanted in case["expect"].items() if name not in _DETAILS}
    try:
        mail = mime.read(input_bytes(case, folder))
    except Malformed as error:
        return Scored(len(expect), tuple(f"{name}: {error}" for name in expect))
    tally = Tally()
    for name, wanted in expect.items():
        _compare(name, wanted, mail, tally)
    return tally.scored()


def _compare(name: str, wanted: Any, mail: Mail, tally: Tally) -> None:
    match name:
        case "from" | "to" | "cc" | "reply_to":
            tally.equal(name, wanted or [], _people(mail.from_ if name == "from" else getattr(mail, name)))
        case "subject":
            tally.folded(name, wanted, mail.subject)
        case "message_id":
            tally.equal(name, wanted, mail.message_id)
        case "in_reply_to":
            tally.equal(name, wanted, next(iter(mail.in_reply_to), None))
        case "date":
            tally.equal(name, wanted and datetime.fromisoformat(wanted), mail.date and mail.date.astimezone(UTC))
        case "text" | "text_norm" | "text_norm_sha256":
            _text(name, wanted, mail.plain_text, tally)
        case "html" | "html_norm" | "html_norm_sha256":
            _text(name, wanted, None if mail.html is None else markup.text_of(mail.html), tally)
        case "attachments":
            tally.equal(name, sorted(map(_order, wanted)), sorted(map(_order, _files(mail))))
        case _:
            tally.holds(name, is_true=False, detail="not given")


def _text(name: str, wanted: str | None, found: str | None, tally: Tally) -> None:
    if name.endswith("sha256"):
        tally.equal(name, wanted, hashlib.sha256(fold(found).encode()).hexdigest())
        return
    tally.equal(name, _BLANKS.sub("", wanted or ""), _BLANKS.sub("", found or ""))


def _people(people: tuple[Address, ...]) -> list[dict[str, str]]:
    return [{"address": person.address.lower(), "name": person.name} for person in people]


def _files(mail: Mail) -> list[dict[str, Any]]:
    return [
        {
            "content_type": file.media_type,
            "filename": file.name,
            "sha256": hashlib.sha256(file.content).hexdigest(),
            "size": len(file.content),
        }
        for file in mime.files(mail)
    ]


def _order(file: dict[str, Any]) -> tuple[str, ...]:
    """The three parsers list files in different orders, so the corpus sorts them."""
    return tuple(f"{file[name]}" for name in ("content_type", "filename", "sha256", "size"))
