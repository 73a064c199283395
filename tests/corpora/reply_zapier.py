"""Plain-text mails: the visible reply, in which a closing counts as written but a dash before a name as a signature."""

from pathlib import Path
from typing import Final

from channels.email import reply
from channels.email.reply import Kind
from tests.corpora.contract import Case, Scored, Tally

_SHOWN: Final = frozenset({Kind.WRITTEN, Kind.CLOSING})


def score(case: Case, folder: Path) -> Scored | None:
    text = (folder / case["input_file"]).read_bytes().decode("utf_8")
    tally = Tally()
    tally.folded("visible_text", case["expect"]["visible_text"], reply.parse(text).only(_SHOWN))
    return tally.scored()
