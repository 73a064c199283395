"""Which parts are the text of a mail, and which are attached: the body structure of RFC 8621 section 4.1.4."""

from dataclasses import dataclass, field
from typing import Final

from channels.email.parts import Part

_SHOWN_TYPES: Final = frozenset({"image", "audio", "video"})


@dataclass(slots=True)
class Body:
    """Numbers of parts: what a reader of plain text sees, what a reader of HTML sees, what is attached."""

    text: list[int] = field(default_factory=list[int])
    html: list[int] = field(default_factory=list[int])
    attached: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class _Wanted:
    """Inside an alternative, one form being found means that the other needs no more of it."""

    text: bool = True
    html: bool = True


def choose(parts: list[Part]) -> Body:
    """Sort the leaves of a mail into the three lists; a part can be shown in both forms."""
    body = Body()
    children: dict[int | None, list[Part]] = {}
    for part in parts:
        children.setdefault(part.parent, []).append(part)
    _walk(children.get(None, []), "mixed", children, body, _Wanted(), in_alternative=False)
    body.attached.sort()
    return body


def _walk(
    siblings: list[Part],
    kind: str,
    children: dict[int | None, list[Part]],
    body: Body,
    wanted: _Wanted,
    *,
    in_alternative: bool,
) -> None:
    texts, htmls = len(body.text), len(body.html)
    for at, part in enumerate(siblings):
        if part.is_multipart:
            inside = _Wanted(text=wanted.text, html=wanted.html)
            alternative = in_alternative or part.media.subtype == "alternative"
            _walk(children.get(part.number, []), part.media.subtype, children, body, inside, in_alternative=alternative)
        elif _is_shown(part, at, kind):
            _show(part, kind, body, wanted, in_alternative=in_alternative)
        else:
            body.attached.append(part.number)
    if kind == "alternative" and wanted.text and wanted.html:
        if len(body.text) == texts:
            body.text += body.html[htmls:]
        elif len(body.html) == htmls:
            body.html += body.text[texts:]


def _is_shown(part: Part, at: int, kind: str) -> bool:
    is_media = part.media.type in _SHOWN_TYPES
    if part.disposition == "attachment" or not (is_media or part.media_type in {"text/plain", "text/html"}):
        return False
    return at == 0 or (kind != "related" and (is_media or not part.name))


def _show(part: Part, kind: str, body: Body, wanted: _Wanted, *, in_alternative: bool) -> None:
    if kind == "alternative":
        shelf = {"text/plain": body.text, "text/html": body.html}.get(part.media_type, body.attached)
        shelf.append(part.number)
        return
    if in_alternative and part.media_type == "text/plain":
        wanted.html = False
    if in_alternative and part.media_type == "text/html":
        wanted.text = False
    if wanted.text:
        body.text.append(part.number)
    if wanted.html:
        body.html.append(part.number)
    if part.media.type in _SHOWN_TYPES or not (wanted.text or wanted.html):
        body.attached.append(part.number)
