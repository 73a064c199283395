"""Mails of a help desk: replies, threads, automatic answers, inline images, hostile recipients."""

from pathlib import Path
from typing import Any, Final

from channels.email import automatic, mime, reply
from channels.email.address import addresses
from channels.email.mime import Mail
from channels.errors import Malformed
from tests.corpora.contract import Case, Scored, Tally, fold, input_bytes

_NOTES: Final = frozenset({"why"})
"""A sentence of the corpus about the field beside it."""


def score(case: Case, folder: Path) -> Scored | None:
    expect = {name: value for name, value in case["expect"].items() if name not in _NOTES}
    if not expect:
        return None
    try:
        mail = mime.read(input_bytes(case, folder))
    except Malformed as error:
        return Scored(len(expect), tuple(f"{name}: {error}" for name in expect))
    tally = Tally()
    for name, wanted in expect.items():
        _compare(name, wanted, mail, tally)
    return tally.scored()


def _compare(name: str, wanted: Any, mail: Mail, tally: Tally) -> None:
    written = fold(reply.written(mail.text))
    match name:
        case "content":
            tally.equal(name, fold(wanted), written)
        case "content_contains":
            tally.holds(name, fold(wanted) in written, written)
        case "reply_text_prefix":
            tally.holds(name, written.startswith(fold(wanted)), written[:200])
        case "subject":
            tally.folded(name, wanted, mail.subject)
        case "must_not_raise":
            tally.holds(name, bool(mail.parts), "no parts")
        case _:
            tally.equal(name, *_pair(name, wanted, mail))


def _pair(name: str, wanted: Any, mail: Mail) -> tuple[object, object]:
    """What is expected and what we give, for fields that are compared as they are."""
    people = mail.reply_to or mail.from_
    given: dict[str, object] = {
        "attachment_count": len(mail.attachments),
        "references": list(mail.references),
        "in_reply_to": next(iter(mail.in_reply_to), None),
        "auto_reply": automatic.classify(mail).kind != "human",
        "creates_conversation": automatic.classify(mail).may_be_answered,
        "to_malformed": any(defect.startswith("To ") for defect in mail.defects),
        "contact_email": people[0].address if people else None,
        "reply_to_header": list(mail.reply_to),
    }
    return addresses(wanted) if name == "reply_to_header" else wanted, given.get(name)
