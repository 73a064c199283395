"""Threads in many languages: the latest reply with its signature, everything that stands above the first quotation.

Lines drawn with underscores are left out on both sides: the library deletes them wherever they stand.
"""

import re
from pathlib import Path
from typing import Final

from channels.email import reply
from tests.corpora.contract import Case, Scored, Tally

_UNDERSCORES: Final = re.compile(r"^_{5,}$", re.MULTILINE)


def score(case: Case, folder: Path) -> Scored | None:
    text = (folder / case["input_file"]).read_bytes().decode("utf_8")
    tally = Tally()
    latest = _UNDERSCORES.sub("", case["expect"]["latest_reply"])
    tally.folded("latest_reply", latest, _UNDERSCORES.sub("", reply.parse(text).above))
    return tally.scored()
