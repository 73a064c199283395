"""HTML of mails: as plain text for reading and searching, and cleaned for display."""

import html as entities
import re
from typing import Final

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

_MOST_CHARS: Final = 2_000_000
_MOST_LEVELS: Final = 400
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre"}
)
_EDGES: Final = {"br": ("\n", ""), "hr": ("\n", "\n"), "li": ("\n* ", "\n"), "td": (" ", " "), "th": (" ", " ")}
_SILENT: Final = frozenset({"head", "title", "style", "script", "template", "noscript", "object", "svg", "math"})
_SPACES: Final = re.compile(r"[ \t\r\n\f\u00a0]+")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_LINE_BLANKS: Final = re.compile(r"(?<![ \t])[ \t]*+\n[ \t]*+")
_QUOTE_OPENS: Final = "\x02"
_QUOTE_CLOSES: Final = "\x03"
_QUOTE_NAMES: Final = re.compile(
    r"\b(?:gmail_quote\w*|yahoo_quoted|OLK_SRC_BODY_SECTION|moz-cite-prefix|protonmail_quote|zmail_extra|tutanota_quote|"
    r"divRplyFwdMsg|mailQuote|wps_quotion)\b"
)
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_TAGS: Final = frozenset({
    "a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del",
    "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol",
    "p", "pre", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "tt", "u", "ul",
})  # fmt: skip
_SHAPE: Final = {"align", "dir", "lang", "title", "width", "height", "valign", "bgcolor", "colspan", "rowspan"}
_STYLES: Final = {
    "color", "background-color", "font-weight", "font-style", "font-size", "font-family", "text-align",
    "text-decoration", "direction", "padding", "margin", "border", "width", "height", "line-height",
    "vertical-align", "white-space",
}  # fmt: skip


def text_of(html: str, *, marks_quotes: bool = False) -> str:
    """What a person reads in this HTML, blocks on lines of their own, links by their text.

    With `marks_quotes` the lines that a mail program quoted begin with `>`, as in plain text.
    Reads the first 2 million characters.
    """
    if "<" not in html:
        return _tidy(_SPACES.sub(" ", entities.unescape(html)))
    root = LexborHTMLParser(html[:_MOST_CHARS]).root
    if root is None:
        return _tidy(entities.unescape(_TAG.sub(" ", html[:_MOST_CHARS])))
    out: list[str] = []
    _walk(root, out, marks_quotes=marks_quotes)
    text = _tidy("".join(out))
    return _with_marks(text) if marks_quotes else text


def _with_marks(text: str) -> str:
    out: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(_QUOTE_OPENS)
        bare = line.replace(_QUOTE_OPENS, "").replace(_QUOTE_CLOSES, "")
        out.append(f"> {bare}" if depth and bare.strip() else bare)
        depth -= line.count(_QUOTE_CLOSES)
    return "\n".join(out)


def _is_quote(node: LexborNode, tag: str) -> bool:
    attributes = node.attributes
    named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return tag == "blockquote" or _QUOTE_NAMES.search(named) is not None


def _walk(root: LexborNode, out: list[str], *, marks_quotes: bool) -> None:
    """Depth first without recursion: mails nest tables hundreds deep."""
    stack: list[tuple[LexborNode | None, str, bool]] = [(root, "", False)]
    while stack:
        node, closing, is_pre = stack.pop()
        if node is None:
            out.append(closing)
            continue
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            text = text.replace(_QUOTE_OPENS, "").replace(_QUOTE_CLOSES, "")
            out.append(text.replace("\u00a0", " ") if is_pre else _SPACES.sub(" ", text))
            continue
        if tag in _SILENT or tag.startswith(("-", "!", "_")):
            continue
        before, after = _edges(node, tag)
        if marks_quotes and _is_quote(node, tag):
            before, after = f"{before}\n{_QUOTE_OPENS}\n", f"\n{_QUOTE_CLOSES}\n{after}"
        out.append(before)
        if len(stack) > _MOST_LEVELS * 100:
            continue
        stack.append((None, after, is_pre))
        stack.extend((child, "", is_pre or tag in {"pre", "textarea"}) for child in reversed(_children(node)))


def _children(node: LexborNode) -> list[LexborNode]:
    found: list[LexborNode] = []
    child = node.first_child
    while child is not None:
        found.append(child)
        child = child.next
    return found


def _edges(node: LexborNode, tag: str) -> tuple[str, str]:
    """What stands before and after the text of an element."""
    if tag == "img":
        return (node.attributes.get("alt") or "").strip(), ""
    if tag in _PARAGRAPHS:
        return "\n\n", "\n\n"
    return _EDGES.get(tag) or (("\n", "\n") if tag in _BLOCKS else ("", ""))


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", _LINE_BLANKS.sub("\n", text)).strip()


def sanitised(html: str) -> str:
    """HTML that is safe to put into our page: no script, form, frame, event handler or remote style.

    Images keep their `cid:` and https sources: the page's own policy decides whether remote ones load.
    """
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "title", "head", "noscript", "template", "iframe", "object", "textarea"},
        attributes={"*": _SHAPE | {"style"}, "a": {"href"}, "img": {"src", "alt"}, "font": {"color", "size", "face"}},
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        filter_style_properties=_STYLES,
    )
