"""The tree of parts in a mail (RFC 2046), laid out flat in the order of the mail."""

from dataclasses import dataclass, field
from typing import Final

from channels.email import transfer
from channels.email.charset import decode
from channels.email.delimiters import declared_type, sections
from channels.email.effort import Effort
from channels.email.headers import Headers, split
from channels.email.params import MediaType, read
from channels.email.words import unfolded
from channels.errors import Malformed

_MOST_LEVELS: Final = 50
_MOST_GUESSED: Final = 50
"""So many parts may have their charset found by statistics."""

_PLAIN: Final = MediaType("text", "plain")
_RFC822: Final = MediaType("message", "rfc822")
_NESTED_TYPES: Final = frozenset({"message/rfc822", "message/global"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `content` is decoded, empty for a multipart; `text` is there for text types only, line ends as sent."""

    number: int
    parent: int | None
    headers: Headers
    media: MediaType
    content: bytes
    text: str | None
    disposition: str
    name: str | None
    content_id: str | None
    is_damaged: bool
    """Its transfer encoding is broken, or the delimiter that should end it is missing."""

    @property
    def media_type(self) -> str:
        """`type/subtype` in lower case."""
        return str(self.media)

    @property
    def is_multipart(self) -> bool:
        """It only holds other parts."""
        return self.media.type == "multipart"

    @property
    def is_mail(self) -> bool:
        """It holds a whole mail (message/rfc822), not only the claim to."""
        return self.text is None and self.media_type in _NESTED_TYPES

    @property
    def charset(self) -> str | None:
        """The charset it declares."""
        return self.media.params.get("charset")


@dataclass(slots=True)
class Layout:
    """What reading the tree found: the parts in order, and what was wrong with the mail."""

    effort: Effort
    parts: list[Part] = field(default_factory=list[Part])
    defects: list[str] = field(default_factory=list[str])


def lay_out(raw: bytes, effort: Effort) -> Layout:
    """Read every part of a mail.

    Raises:
        Malformed: with what is in `effort`, the mails around this one, more than 1,000 parts, 10,000 header fields, or
            20,000 places that look like a delimiter; multiparts nested deeper than 50; a header block over 1 MiB.
    """
    layout = Layout(effort)
    _read(raw, 0, len(raw), layout, parent=None, level=0, default=_PLAIN, is_closed=True)
    return layout


def _read(
    raw: bytes,
    start: int,
    end: int,
    layout: Layout,
    *,
    parent: int | None,
    level: int,
    default: MediaType,
    is_closed: bool,
) -> None:
    if level > _MOST_LEVELS:
        raise Malformed(f"The parts of this mail are nested deeper than {_MOST_LEVELS} levels.")
    headers, body = split(raw, start, end)
    layout.effort.add(len(headers.fields))
    if len(headers.all("Content-Disposition")) > 1:
        layout.defects.append("A part has more than one Content-Disposition.")
    media = declared_type(headers, default)
    found = sections(raw, body, end, media, layout.effort) if media.type == "multipart" else None
    if found is None:
        media = _PLAIN if media.type == "multipart" else media
        layout.parts.append(_leaf(raw[body:end], headers, media, len(layout.parts), parent, is_closed=is_closed))
        return
    number = len(layout.parts)
    layout.parts.append(_part(headers, media, number, parent, b"", text=None, is_damaged=False))
    if found and not found[-1].is_closed:
        layout.defects.append("A multipart has no closing boundary.")
    child_default = _RFC822 if media.subtype == "digest" else _PLAIN
    for section in found:
        _read(
            raw, section.start, section.end, layout,
            parent=number, level=level + 1, default=child_default, is_closed=section.is_closed,
        )  # fmt: skip


def _leaf(data: bytes, headers: Headers, media: MediaType, number: int, parent: int | None, *, is_closed: bool) -> Part:
    content, is_damaged = transfer.decode(data, read(headers.token("Content-Transfer-Encoding")).main)
    if str(media) in _NESTED_TYPES and not split(content)[0].fields:
        return _part(headers, media, number, parent, content, text=decode(content), is_damaged=True)
    text = None
    if media.type == "text":
        text = decode(content, media.params.get("charset"), by_statistics=number < _MOST_GUESSED)
    return _part(headers, media, number, parent, content, text=text, is_damaged=is_damaged or not is_closed)


def _part(
    headers: Headers,
    media: MediaType,
    number: int,
    parent: int | None,
    content: bytes,
    *,
    text: str | None,
    is_damaged: bool,
) -> Part:
    disposition = read(headers.source("Content-Disposition") or "")
    name = disposition.get("filename") or disposition.get("name") or media.params.get("name")
    name = name or media.params.get("filename")
    content_id = unfolded(headers.source("Content-ID") or "")
    return Part(
        number=number, parent=parent, headers=headers, media=media, content=content, text=text,
        disposition=disposition.main.lower(), name=name or None,
        content_id=content_id.strip().removeprefix("<").removesuffix(">") or None, is_damaged=is_damaged,
    )  # fmt: skip
