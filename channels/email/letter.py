"""A mail of ours, written: header fields and MIME parts (RFC 5322, RFC 2045), in seven bits where addresses allow."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from email_validator import EmailNotValidError, validate_email

from channels.email import enclosures, fields, sent
from channels.email.outlet import Outlet
from channels.email.thread import answer_subject
from channels.sending import Outgoing, Rejected
from channels.typed import clean

_POLICY: Final = SMTP.clone(cte_type="7bit")
# Of networks of one's own: no rule of the world's gives out `sara@office.local`.
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}")
_UNTITLED: Final = {"en": "Our answer to you", "fa": "پاسخ ما به شما"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What is handed to a mail server. `sender` is of the envelope: bounces come there."""

    sender: str
    recipient: str
    content: bytes


def write(outlet: Outlet, message: Outgoing) -> Letter:
    """The mail of this message, always the same bytes. Raises `Rejected` when its address cannot be written to."""
    own, recipient = _ascii_domain(outlet.address), _ascii_domain(message.address.removeprefix("mailto:"))
    if own is None:
        raise Rejected("not_set_up", "This mailbox's own address cannot be sent from.")
    if recipient is None:
        raise Rejected("no_such_mailbox", "The customer's mail address is not one that can be written to.")
    name = sent.name_of(message.message_id)
    has_plus = outlet.plus_addressing == "on"
    answers = sent.answered_at(own, message.reply_key) if has_plus and message.reply_key else None
    head = [
        fields.mailbox("From", outlet.from_name, own),
        fields.mailbox("To", "", recipient),
        *([fields.mailbox("Reply-To", outlet.from_name, answers)] if answers else []),
        fields.subject(_subject(message)),
        f"Date: {format_datetime(message.sent_at)}",
        f"Message-ID: <{sent.message_id_of(name, message.reply_key, own.rpartition('@')[2])}>",
        *_thread(message),
        *_marks(message),
    ]
    content = fields.EOL.join(head).encode() + fields.EOL.encode() + _body(message, name)
    bounces = sent.bounced_to(own, name) if has_plus else None
    return Letter(bounces or own, recipient, content)


def _ascii_domain(address: str) -> str | None:
    """The address as mail servers know it, its local part as it is written; None for what is none."""
    try:
        found = validate_email(address, check_deliverability=False, allow_quoted_local=True)
    except EmailNotValidError:
        return address if _LOCAL.fullmatch(address) else None
    return f"{found.local_part}@{found.ascii_domain}"


def _subject(message: Outgoing) -> str:
    known = fields.one_line(message.thread.subject or "")
    if known:
        return answer_subject(known)
    words = _UNTITLED.get(message.language.partition("-")[0], _UNTITLED["en"])
    return f"{words} ({message.reference})" if message.reference else words


def _thread(message: Outgoing) -> list[str]:
    thread = message.thread
    parents = () if thread.in_reply_to is None else (thread.in_reply_to,)
    # The answered mail stands last, where the programs of customers look for it.
    before = tuple(one for one in thread.references if one not in parents)
    found = (fields.ids("In-Reply-To", parents), fields.ids("References", (*before, *parents)))
    return [field for field in found if field is not None]


def _marks(message: Outgoing) -> tuple[str, ...]:
    """That a machine wrote it (RFC 3834 section 5; the second is Microsoft's word for the same)."""
    return ("Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All") if message.automatic else ()


def _body(message: Outgoing, name: str) -> bytes:
    """The parts with their own fields; the first of them belong to the mail's header."""
    said = EmailMessage(_POLICY)
    said.set_content(clean(message.text) + "\n")
    if message.html is not None:
        said.add_alternative(clean(message.html) + "\n", subtype="html")
        # Python would draw it; `=_` cannot stand in a body that is encoded (RFC 2045 section 6.7).
        said.set_boundary(f"=_{name}.1")
    if not message.attachments:
        return said.as_bytes()
    del said["MIME-Version"]
    boundary = f"=_{name}.0"
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    parts = (said.as_bytes(), *(enclosures.part(file, at) for at, file in enumerate(message.attachments, 1)))
    line = f"--{boundary}\r\n".encode()
    return head.encode() + b"\r\n".join(line + part for part in parts) + f"\r\n--{boundary}--\r\n".encode()
