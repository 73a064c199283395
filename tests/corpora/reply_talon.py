"""Plain-text and HTML replies with the quotation removed and the signature kept; HTML without any white space."""

import re
from pathlib import Path
from typing import Any

from channels.email import markup, mime, reply
from tests.corpora.contract import Case, Scored, Tally


def score(case: Case, folder: Path) -> Scored | None:
    """A case is one assertion: the text that is left."""
    content_type, body = _body(case, folder)
    expect: dict[str, Any] = case["expect"]
    tally = Tally()
    if "reply" in expect:
        tally.folded("reply", expect["reply"], reply.parse(body).unquoted)
    elif content_type == "text/html" and "reply_text_nows" in expect:
        found = reply.parse(markup.text_of(body, marks_quotes=True)).unquoted
        whole = found or markup.text_of(body)
        tally.equal("reply_text_nows", expect["reply_text_nows"], re.sub(r"\s", "", whole))
    return tally.scored()


def _body(case: Case, folder: Path) -> tuple[str, str]:
    if "input" in case:
        return case["input"]["content_type"], case["input"]["body"]
    mail = mime.read((folder / case["input_file"]).read_bytes())
    return "text/plain", mail.text
