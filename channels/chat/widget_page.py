"""The widget's script, and the page to try it on."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FILES: Final = Path(__file__).with_name("templates")
_UNSENT: Final = re.compile(rb"^ +| // .*$", re.MULTILINE)
_SENTENCES: Final = {
    "en": {
        "title": "Chat with us",
        "lead": "This is how the chat looks on your site. Open it with the button in the corner and write something.",
        "how": "To have it on your own pages, put this line before the end of their body:",
        "about": "What is written here goes to the inbox",
    },
    "fa": {
        "title": "گفتگو با ما",
        "lead": "گفتگو در سایت شما این‌گونه دیده می‌شود. با دکمهٔ گوشهٔ صفحه آن را باز کنید و چیزی بنویسید.",
        "how": "برای داشتن آن در صفحه‌های خودتان، این خط را پیش از پایان body بگذارید:",
        "about": "آنچه اینجا نوشته شود به این صندوق می‌رسد:",
    },
}


@cache
def script() -> bytes:
    """The script for every site; which inbox it is for stands in the address that it is loaded from."""
    # Every page of every site fetches it: indentation and remarks stay here.
    return _UNSENT.sub(b"", (_FILES / "widget.js").read_bytes())


@cache
def style() -> bytes:
    """The stylesheet of the page, at `/chat/style.css`."""
    return (_FILES / "page.css").read_bytes()


def content_security_policy(public_url: str) -> str:
    """For the page. The socket is named with its scheme: not every browser counts it to 'self'."""
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {socket}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def demo_page(key: str, tag: str, inbox: str, language: str) -> str:
    """The page with the widget of this key on it, in Persian or English. `tag` is the line for other sites' pages."""
    known = language if language in _SENTENCES else "en"
    direction = "rtl" if known == "fa" else "ltr"
    return _template().render(
        said=_SENTENCES[known],
        src=f"/chat/{key}/widget.js",
        tag=tag,
        inbox=inbox,
        language=known,
        direction=direction,
    )


@cache
def _template() -> Any:
    loader = FileSystemLoader(_FILES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("page.html.jinja")
