"""HTML of mails as plain text, for reading and searching.

The text is read off the tags in one pass. A parser that builds the tree of HTML5 takes time with the square of the
depth (64 KB of `<div>` cost it 0.14 s, 256 KB 2.4 s), and misnested formatting makes it build more nodes than tags.
"""

import html as entities
import re
from dataclasses import dataclass, field
from typing import Final

_MOST_CHARS: Final = 2_000_000
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre"}
)
_EDGES: Final = (
    dict.fromkeys(_BLOCKS, ("\n", "\n"))
    | dict.fromkeys(_PARAGRAPHS, ("\n\n", "\n\n"))
    | {"br": ("\n", ""), "hr": ("\n", "\n"), "li": ("\n* ", "\n"), "td": (" ", " "), "th": (" ", " ")}
)
_PREFORMATTED: Final = frozenset({"pre", "textarea"})
_SILENT: Final = frozenset({"template", "object", "svg", "math"})
_FOREIGN: Final = frozenset({"svg", "math"})
_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("style", "script", "title", "noscript", "xmp", "iframe", "noembed", "noframes")
}
"""What stands in these is no markup (HTML section 13.2.5.1), and nothing that a person reads in a mail."""

_TAG: Final = re.compile(
    r"<(?:(?P<close>/?)(?P<name>[A-Za-z][^\s/>]*+)"
    r"(?P<attributes>(?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+)*+)(?P<end>>|\Z)|(?P<comment>!--)|[!?/][^>]*+>?)"
)
_UNQUOTED_TAG: Final = re.compile(
    r"<(?:(?P<close>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<attributes>[^>]*+)(?P<end>>|\Z)|(?P<comment>!--)|[!?/][^>]*+>?)"
)
"""For what stands behind a quotation mark that nobody closed."""

_LONG_NUMBER: Final = re.compile(r"&#([0-9]{1000,}+);?")
_ALT: Final = re.compile(r"(?<![\w-])alt\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>]++)", re.IGNORECASE)
_NAMED: Final = re.compile(r"(?<![\w-])(?:class|id)\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>]++)", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\r\n\f\u00a0]+")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_LINE_BLANKS: Final = re.compile(r"(?<![ \t])[ \t]*+\n[ \t]*+")
_QUOTE_OPENS: Final = "\x02"
_QUOTE_CLOSES: Final = "\x03"
_QUOTE_NAMES: Final = re.compile(
    r"\b(?:gmail_quote\w*|yahoo_quoted|OLK_SRC_BODY_SECTION|moz-cite-prefix|protonmail_quote|zmail_extra|tutanota_quote|"
    r"divRplyFwdMsg|mailQuote|wps_quotion)\b"
)


def text_of(html: str, *, marks_quotes: bool = False) -> str:
    """What a person reads in this HTML, blocks on lines of their own, links by their text.

    With `marks_quotes` the lines that a mail program quoted begin with `>`, as in plain text.
    Reads the first 2 million characters, in time linear in their number.
    """
    if "<" not in html:
        return _tidy(_SPACES.sub(" ", _unescaped(html[:_MOST_CHARS])))
    text = _tidy("".join(_Reader(html[:_MOST_CHARS], marks_quotes=marks_quotes).read()))
    return _with_marks(text) if marks_quotes else text


def _unescaped(text: str) -> str:
    """With its character references read. Python refuses to read numbers of more than 4,300 digits (CVE-2020-10735)."""
    return entities.unescape(_LONG_NUMBER.sub(lambda found: f"&#{found[1].lstrip('0')[:8] or 0};", text))


def _with_marks(text: str) -> str:
    out: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(_QUOTE_OPENS)
        bare = line.replace(_QUOTE_OPENS, "").replace(_QUOTE_CLOSES, "")
        out.append(f"> {bare}" if depth and bare.strip() else bare)
        depth -= line.count(_QUOTE_CLOSES)
    return "\n".join(out)


@dataclass(slots=True)
class _Quotes:
    """Which elements that a mail program put around a quotation are open, by their name and its depth."""

    depths: dict[str, int] = field(default_factory=dict[str, int])
    open: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def opens(self, name: str, attributes: str) -> bool:
        self.depths[name] = self.depths.get(name, 0) + 1
        is_quote = name == "blockquote" or any(_QUOTE_NAMES.search(named) for named in _NAMED.findall(attributes))
        if is_quote:
            self.open.append((name, self.depths[name]))
        return is_quote

    def closes(self, name: str) -> bool:
        depth = self.depths.get(name, 0)
        self.depths[name] = max(depth - 1, 0)
        if not self.open or self.open[-1] != (name, depth):
            return False
        self.open.pop()
        return True


class _Reader:
    """One pass over the tags. Ends that may be left out (`</p>`, `</td>`) do not matter: what follows has an edge."""

    def __init__(self, html: str, *, marks_quotes: bool) -> None:
        self.html = html
        self.out: list[str] = []
        self.quotes = _Quotes() if marks_quotes else None
        self.preformatted = 0
        self.silent = ""
        self.silent_depth = 0

    def read(self) -> list[str]:
        at: int | None = 0
        pattern = _TAG
        while at is not None and at < len(self.html):
            match = pattern.search(self.html, at)
            if match is None:
                self._text(at, len(self.html))
                break
            self._text(at, match.start())
            if match["name"] and not match["end"] and pattern is _TAG:
                at, pattern = match.start(), _UNQUOTED_TAG
                continue
            at = self._tag(match)
        return self.out

    def _text(self, start: int, end: int) -> None:
        if start == end or self.silent:
            return
        text = self.html[start:end]
        if "&" in text:
            text = _unescaped(text)
        text = text.replace(_QUOTE_OPENS, "").replace(_QUOTE_CLOSES, "")
        self.out.append(text.replace("\u00a0", " ") if self.preformatted else _SPACES.sub(" ", text))

    def _tag(self, match: re.Match[str]) -> int | None:
        """Where to go on; None when the rest is nothing to read."""
        name = match["name"]
        if match["comment"]:
            found = self.html.find("-->", match.end() - 2)
            return None if found < 0 else found + 3
        if not name:
            return match.end()
        name = name.lower()
        if name in _RAW and not match["close"]:
            end = _RAW[name].search(self.html, match.end())
            return None if end is None else end.start()
        if self._is_silent(name, match):
            return match.end()
        if match["close"]:
            self._close(name)
        else:
            self._open(name, match["attributes"])
        return match.end()

    def _is_silent(self, name: str, match: re.Match[str]) -> bool:
        if self.silent in _FOREIGN and name in _BLOCKS:
            self.silent = ""
        if not self.silent and name in _SILENT and not match["close"] and not match["attributes"].endswith("/"):
            self.silent, self.silent_depth = name, 1
            return True
        if name == self.silent:
            self.silent_depth += -1 if match["close"] else 1
            if not self.silent_depth:
                self.silent = ""
            return True
        return bool(self.silent)

    def _open(self, name: str, attributes: str) -> None:
        if name == "img":
            alt = _ALT.search(attributes)
            self.out.append(_unescaped(alt[1].strip("\"'")).strip() if alt else "")
            return
        self.preformatted += name in _PREFORMATTED
        if edge := _EDGES.get(name):
            self.out.append(edge[0])
        if self.quotes and self.quotes.opens(name, attributes):
            self.out.append(f"\n{_QUOTE_OPENS}\n")

    def _close(self, name: str) -> None:
        if self.preformatted and name in _PREFORMATTED:
            self.preformatted -= 1
        if self.quotes and self.quotes.closes(name):
            self.out.append(f"\n{_QUOTE_CLOSES}\n")
        if edge := _EDGES.get(name):
            self.out.append(edge[1])


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", _LINE_BLANKS.sub("\n", text)).strip()
