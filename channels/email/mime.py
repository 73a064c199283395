"""A mail read whole: `read(raw)` gives a `Mail` or raises `Malformed`, nothing else."""

import html as entities
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from channels.email import dates, markup, thread, transfer
from channels.email.address import Address, addresses, is_well_formed
from channels.email.body import Body, choose
from channels.email.effort import Effort
from channels.email.flowed import unflowed
from channels.email.headers import Headers
from channels.email.parts import Layout, Part, lay_out

_MOST_NESTED_MAILS: Final = 10
_MOST_FIELDS: Final = 50
"""So many fields of one name are read for addresses or dates."""

_MOST_RENDERED_CHARS: Final = 2_000_000
"""So much HTML of a mail, and of the mails inside it, is made into text."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. `is_inline` means that the text shows it in place (an image with a Content-ID, mostly)."""

    name: str | None
    media_type: str
    content: bytes
    content_id: str | None
    is_inline: bool
    number: int


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. Ids stand without angle brackets; `html` is as sent: `shown.cleaned` makes it fit to be shown."""

    headers: Headers
    from_: tuple[Address, ...]
    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    return_path: str | None
    """The envelope sender; "" is the empty one of bounces, None means that no Return-Path is there."""

    subject: str
    date: datetime | None
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    """The mail for a reader of plain text, HTML parts rendered, line ends `\\n`."""

    html: str | None
    attachments: tuple[Attachment, ...]
    parts: tuple[Part, ...]
    body: Body
    nested: dict[int, "Mail"]
    """Mails inside this one (message/rfc822) by the number of their part."""

    defects: tuple[str, ...]

    @property
    def plain_text(self) -> str | None:
        """Only what the sender wrote as plain text; None when the mail is HTML alone."""
        if not any(self.parts[number].media_type == "text/plain" for number in self.body.text):
            return None
        return self.text


def read(raw: bytes) -> Mail:
    """Read a mail. Broken mails are read as far as they go and say so in `defects`.

    Raises:
        Malformed: more parts, levels or header bytes than any real mail has.
    """
    return _read(raw, 0, Effort())


def _read(raw: bytes, level: int, effort: Effort) -> Mail:
    layout = lay_out(raw, effort)
    headers = layout.parts[0].headers
    layout.defects += _bad_addresses(headers)
    body = choose(layout.parts)
    text = _text(layout, body)
    nested = _nested(layout, level)
    message_ids = _ids(headers, "Message-ID")
    return Mail(
        headers=headers,
        from_=_people(headers, "From"),
        sender=next(iter(_people(headers, "Sender")), None),
        to=_people(headers, "To"),
        cc=_people(headers, "Cc"),
        bcc=_people(headers, "Bcc"),
        reply_to=_people(headers, "Reply-To"),
        return_path=_return_path(headers),
        subject=headers.text("Subject") or "",
        date=_date(headers),
        message_id=message_ids[0] if message_ids else None,
        in_reply_to=_ids(headers, "In-Reply-To"),
        references=_ids(headers, "References"),
        text=text,
        html=_html(layout.parts, body),
        attachments=_attachments(layout.parts, body),
        parts=tuple(layout.parts),
        body=body,
        nested=nested,
        defects=tuple(dict.fromkeys(layout.defects)),
    )


def _ids(headers: Headers, name: str) -> tuple[str, ...]:
    """Message-IDs; Python's mail library writes long ones as encoded words, which no rule allows."""
    value = headers.source(name) or ""
    return thread.message_ids((headers.text(name) or "") if "=?" in value and "<" not in value else value)


def _nested(layout: Layout, level: int) -> dict[int, Mail]:
    mails = [part for part in layout.parts if part.is_mail]
    if level >= _MOST_NESTED_MAILS:
        if mails:
            layout.defects.append(f"Mails nested deeper than {_MOST_NESTED_MAILS} are kept as files.")
        return {}
    return {part.number: _read(part.content, level + 1, layout.effort) for part in mails}


def _people(headers: Headers, name: str) -> tuple[Address, ...]:
    """The first field that names anybody; all of them for recipients, which some senders spread over several fields."""
    fields = headers.all(name)[:_MOST_FIELDS]
    if name in {"To", "Cc", "Bcc"}:
        return tuple(address for field in fields for address in addresses(field.source))
    return tuple(next(filter(None, (addresses(field.source) for field in fields)), ()))


def _date(headers: Headers) -> datetime | None:
    """The first Date with a zone, as RFC 5322 wants it; else the first that names a moment."""
    written = [field.source for field in headers.all("Date")[:_MOST_FIELDS]]
    return next(filter(None, map(dates.parse, [*filter(dates.is_whole, written), *written])), None)


def _bad_addresses(headers: Headers) -> list[str]:
    names = ("From", "Sender", "Reply-To", "To", "Cc")
    bad = [
        name for name in names if not all(is_well_formed(field.source) for field in headers.all(name)[:_MOST_FIELDS])
    ]
    return [f"{name} is no well-formed list of addresses." for name in bad]


def _return_path(headers: Headers) -> str | None:
    field = headers.all("Return-Path")[:1]
    if not field:
        return None
    found = addresses(field[0].source)
    return found[0].address if found else ""


def _shown(part: Part) -> str:
    text = part.text or ""
    if b"\nend" in part.content and b"begin" in part.content:
        text = transfer.without_uuencoded(text.encode("utf_8", "surrogatepass")).decode("utf_8", "replace")
    if part.media.params.get("format", "").lower() == "flowed":
        return unflowed(text, delete_space=part.media.params.get("delsp", "").lower() == "yes")
    return text.replace("\r\n", "\n")


def _text(layout: Layout, body: Body) -> str:
    chosen = [layout.parts[number] for number in body.text if layout.parts[number].text is not None]
    return "\n".join(_rendered(part, layout) if part.media_type == "text/html" else _shown(part) for part in chosen)


def _rendered(part: Part, layout: Layout) -> str:
    html = (part.text or "")[: _MOST_RENDERED_CHARS - layout.effort.rendered_chars]
    layout.effort.rendered_chars += len(html)
    if len(html) < len(part.text or ""):
        layout.defects.append(f"Only the first {_MOST_RENDERED_CHARS} characters of HTML are in the text.")
    return markup.text_of(html)


def _html(parts: list[Part], body: Body) -> str | None:
    chosen = [parts[number] for number in body.html if parts[number].text is not None]
    if not any(part.media_type == "text/html" for part in chosen):
        return None
    return "\n".join(part.text or "" if part.media_type == "text/html" else _as_html(_shown(part)) for part in chosen)


def _as_html(text: str) -> str:
    return "<div>" + entities.escape(text, quote=False).replace("\n", "<br>\n") + "</div>"


def _attachments(parts: list[Part], body: Body) -> tuple[Attachment, ...]:
    files = [_attachment(parts[number], body) for number in body.attached]
    for number in body.text:
        if parts[number].media_type == "text/plain":
            files += [
                Attachment(name, "application/octet-stream", content, None, is_inline=False, number=number)
                for name, content in transfer.uuencoded(parts[number].content)
            ]
    return tuple(files)


def _attachment(part: Part, body: Body) -> Attachment:
    is_inline = part.disposition != "attachment" and (part.content_id is not None or part.number in body.html)
    return Attachment(
        part.name, part.media_type, part.content, part.content_id, is_inline=is_inline, number=part.number
    )


def files(mail: Mail) -> list[Attachment]:
    """Every file in a mail; a mail that it forwards is opened, its files standing for it, unless it is attached."""
    found: list[Attachment] = []
    for attachment in mail.attachments:
        inner = mail.nested.get(attachment.number)
        part = mail.parts[attachment.number]
        is_report = part.parent is not None and mail.parts[part.parent].media.subtype == "report"
        if inner is None or is_report or part.disposition == "attachment":
            found.append(attachment)
        else:
            found += files(inner)
    return found
