"""A mail that was read, in our words, within the size of a fact."""

from collections.abc import Iterable
from typing import Final
from unicodedata import normalize

import orjson

from channels.contract import Blob, Heard, Origin
from channels.email import bounce, sent, thread
from channels.email.address import Address
from channels.email.mime import Mail
from channels.phone import mailbox
from schemas.interaction import (
    Attachment,
    AttachmentName,
    Automatic,
    Content,
    DeliveryState,
    ReceiptReported,
    Recipient,
)

_LONGEST_TEXT_BYTES: Final = 60 * 1024
_LONGEST_SUBJECT: Final = 2000
_LONGEST_NAME: Final = 300
_LONGEST_ID: Final = 500
_MOST_IDS: Final = 30
_MOST_RECIPIENTS: Final = 50
_MOST_FILES: Final = 60

# A machine's mail that answers nothing (a report, a shop's notice, a list) is bulk to us: nobody waits for an answer.
AUTOMATIC: Final[dict[str, Automatic]] = {
    "human": "human",
    "auto_reply": "auto_reply",
    "auto_generated": "bulk",
    "bounce": "bounce",
    "list": "bulk",
    "bulk": "bulk",
}

# RFC 3464 section 2.3.3; "delayed" changes nothing yet.
_STATES: Final[dict[str, DeliveryState]] = {
    "failed": "failed",
    "delivered": "delivered",
    "relayed": "sent",
    "expanded": "sent",
}


def mail_address(address: str) -> str | None:
    """`mailto:` and the address; also for one that no rule allows but that wrote to us. None when there is none."""
    bare = clean(address).strip()
    if not bare or len(bare) > _LONGEST_NAME:
        return None
    return f"mailto:{mailbox(bare) or normalize('NFC', bare).lower()}"


def content(mail: Mail, address: str, recipient: str, written: str) -> Content:
    """Who wrote, to whom and what; `written` is what they wrote themselves, without quotes."""
    sender = next(iter(mail.from_), None)
    text, full_text = clean(written), clean(mail.text)
    return Content(
        address=address,
        recipient=recipient,
        name=clean(sender.name)[:_LONGEST_NAME] or None if sender else None,
        subject=clean(mail.subject)[:_LONGEST_SUBJECT] or None,
        text=excerpt(text),
        full_text=None if _as_written(full_text) == _as_written(text) else excerpt(full_text),
        message_id=next(iter(_ids((mail.message_id or "",))), None),
        in_reply_to=_ids(mail.in_reply_to),
        references=_ids(mail.references),
        recipients=_people((*mail.to, *mail.cc)),
    )


def text_blob(origin: Origin, key: str, mail: Mail) -> tuple[Blob, ...]:
    """The whole text, when it is too long for a fact."""
    whole = clean(mail.text)
    return () if excerpt(whole) == whole else (Blob(origin.derive(key, "text"), whole.encode()),)


def attachments(origin: Origin, key: str, mail: Mail) -> tuple[tuple[Attachment, AttachmentName, Blob], ...]:
    """Each file with its two sides and its bytes."""
    return tuple(
        _attachment(origin, f"{key}/{index}", file.name, file.media_type, file.content)
        for index, file in enumerate(mail.attachments[:_MOST_FILES])
    )


def receipts(origin: Origin, key: str, channel: str, mail: Mail, recipient: str) -> list[Heard]:
    """What a delivery report (RFC 3464) says about a mail of ours; nothing for one that is guessed from its words.

    `recipient` is the address that it came to, as the envelope says; "" where there is none.
    """
    report = bounce.read(mail)
    if report is None or not report.is_standard:
        return []
    about = sent.named_by(report.original_id, (recipient, *(person.address for person in mail.to)))
    if about is None:
        return []
    interaction_id = origin.derive(about, "interaction")
    heard: list[Heard] = []
    for index, failure in enumerate(report.failures):
        state, address = _STATES.get(failure.action), mail_address(failure.address)
        if state is None or address is None:
            continue
        fact = ReceiptReported(
            interaction_id=interaction_id,
            channel=channel,
            state=state,
            reported=failure.action,
            error_code=failure.status or None,
            personal=Recipient(address=address, detail=clean(failure.diagnostic)[:_LONGEST_SUBJECT] or None),
        )
        heard.append(Heard(f"{key}/{index}", address, fact, mail.date))
    return heard


def root(mail: Mail, key: str) -> str:
    """The id of the mail that began this thread, as far as this one tells."""
    return thread.key(mail.message_id, mail.in_reply_to, mail.references) or key


def excerpt(text: str) -> str:
    """The beginning of a text, as long as its JSON stays within 60 KB."""
    text = text[:_LONGEST_TEXT_BYTES]
    length = len(orjson.dumps(text))
    while length > _LONGEST_TEXT_BYTES:
        text = text[: min(len(text) - 1, len(text) * _LONGEST_TEXT_BYTES // length)]
        length = len(orjson.dumps(text))
    return text


def clean(text: str) -> str:
    """Text that JSON and databases can hold: no NUL, and `?` for half a surrogate pair, left by a broken charset."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _as_written(text: str) -> str:
    # What somebody wrote themselves has LF line ends and no empty ones around it, and so differs without a quote.
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _attachment(
    origin: Origin, key: str, name: str | None, media_type: str, held: bytes
) -> tuple[Attachment, AttachmentName, Blob]:
    attachment_id = origin.derive(key, "attachment")
    return (
        Attachment(attachment_id=attachment_id, media_type=clean(media_type)[:_LONGEST_NAME], bytes=len(held)),
        AttachmentName(attachment_id=attachment_id, name=clean(name or "")[:_LONGEST_NAME] or None),
        Blob(attachment_id, held),
    )


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    """The first, which names the thread, and the last ones, which name what is answered."""
    sound = [clean(one) for one in ids if 0 < len(one) <= _LONGEST_ID]
    return tuple(sound if len(sound) <= _MOST_IDS else [sound[0], *sound[1 - _MOST_IDS :]])


def _people(people: Iterable[Address]) -> tuple[str, ...]:
    found = (mail_address(person.address) for person in people)
    return tuple(dict.fromkeys(filter(None, found)))[:_MOST_RECIPIENTS]
