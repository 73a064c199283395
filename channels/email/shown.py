"""A mail as its sender saw it, fit for a frame of ours: cleaned, and nothing in it is fetched from anywhere.

What a browser would run or load is taken out here; the frame's own policy forbids it a second time.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote
from uuid import UUID, uuid5

import nh3

from channels.email.mime import Attachment, read

_MOST_CHARS: Final = 2_000_000
_MOST_PICTURE_BYTES: Final = 1024 * 1024
"""Of all pictures that stand in the mail together; those that come after it are left to the list of files."""

_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_INLINE: Final = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_REMOTE: Final = re.compile(r"https?:", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"(?:[^(\\]|(?:(?<=rgb)|(?<=rgba)|(?<=hsl)|(?<=hsla))\([^()\\]*+\))*+", re.IGNORECASE)
"""A style that calls nothing but colours: no url(), no image(), nothing written with escapes."""

_TAGS: Final = frozenset({
    "a", "abbr", "address", "article", "b", "big", "blockquote", "br", "caption", "center", "code", "col",
    "colgroup", "dd", "del", "div", "dl", "dt", "em", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "i", "img", "ins", "li", "main", "ol", "p", "pre", "q", "s", "section", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
})  # fmt: skip
_UNREAD: Final = {
    "script", "style", "title", "head", "noscript", "template", "iframe", "object", "textarea", "svg", "math", "select",
}  # fmt: skip
_SHAPE: Final = {"align", "dir", "lang", "style", "width", "height", "valign", "bgcolor"}
_CELL: Final = {"colspan", "rowspan", "nowrap"}
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": _SHAPE,
    "a": {"href"},
    "font": {"color", "size", "face"},
    "img": {"src", "alt"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": _CELL,
    "th": _CELL,
}
_SIDES: Final = ("top", "right", "bottom", "left")
_STYLES: Final = {
    "background", "background-color", "border", "border-collapse", "border-color", "border-radius", "border-spacing",
    "border-style", "border-width", "color", "direction", "display", "font", "font-family", "font-size", "font-style",
    "font-weight", "height", "letter-spacing", "line-height", "list-style-type", "margin", "max-width", "min-width",
    "overflow-wrap", "padding", "table-layout", "text-align", "text-decoration", "text-transform", "vertical-align",
    "white-space", "width", "word-break",
    *(f"{name}-{side}" for name in ("border", "margin", "padding") for side in _SIDES),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """`html` is None for a mail of text alone; `remote` counts pictures that lie elsewhere and were taken out."""

    html: str | None
    text: str
    remote: int = 0


def whole_of(interaction_id: UUID) -> UUID:
    """The blob that holds the whole mail, all its headers and parts, as it came."""
    return uuid5(interaction_id, "mime")


def shown(raw: bytes) -> Shown:
    """Read a mail and clean it. Of longer HTML the first 2 million characters are shown.

    HTML of many unclosed formatting elements costs time and memory with the square of its length (30 KB of it become
    27 MB): call it where both are bounded.

    Raises:
        Malformed: as `mime.read`.
    """
    mail = read(raw)
    if mail.html is None:
        return Shown(None, mail.text)
    html, remote = cleaned(mail.html[:_MOST_CHARS], _pictures(mail.attachments))
    return Shown(html, mail.text, remote)


def cleaned(html: str, pictures: Mapping[str, str]) -> tuple[str, int]:
    """HTML that runs and fetches nothing, and how many remote pictures it has lost.

    `pictures` are `data:` URLs by Content-ID. Links lead to http, https and mailto, out of the frame.
    """
    cleaning = _Cleaning(pictures)
    clean = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=_UNREAD,
        attributes=_ATTRIBUTES,
        attribute_filter=cleaning.kept,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_relative="deny",
        url_schemes={"http", "https", "mailto", "cid", "data"},
    )
    return clean, cleaning.remote


@dataclass(slots=True)
class _Cleaning:
    pictures: Mapping[str, str]
    remote: int = 0
    inline_bytes: int = 0

    def kept(self, element: str, name: str, value: str) -> str | None:
        """What becomes of this attribute."""
        if name == "src":
            # An element that is about to go, such as a frame, is asked about too.
            if element != "img":
                return None
            return self._picture(value.strip())
        if name == "href":
            return value if _LINK.match(value.strip()) else None
        if name == "style":
            return ";".join(one for one in value.split(";") if _DECLARATION.fullmatch(one)) or None
        return value

    def _picture(self, source: str) -> str | None:
        if source[:4].lower() == "cid:":
            return self.pictures.get(unquote(source[4:]))
        if _REMOTE.match(source):
            self.remote += 1
            return None
        self.inline_bytes += len(source) * 3 // 4
        return source if self.inline_bytes <= _MOST_PICTURE_BYTES and _INLINE.fullmatch(source) else None


def _pictures(files: Iterable[Attachment]) -> dict[str, str]:
    found: dict[str, str] = {}
    left = _MOST_PICTURE_BYTES
    for file in files:
        if file.content_id and file.media_type in _PICTURES and len(file.content) <= left:
            left -= len(file.content)
            found[file.content_id] = f"data:{file.media_type};base64,{b64encode(file.content).decode()}"
    return found
