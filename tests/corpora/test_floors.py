import os
from pathlib import Path

import pytest

from tests.corpora.__main__ import scored_folder
from tests.corpora.registry import SCORERS

PLACE = os.environ.get("TAMAS_CORPORA", "")
FLOORS = {
    "mime_chatwoot": 0.95, "mime_headers": 0.97, "mime_oracle": 0.98, "mime_postal": 0.96, "mime_ruby_mail": 0.95,
    "mime_stalwart": 0.93, "reply_alfonsrv": 0.85, "reply_crisp": 0.95, "reply_talon": 0.95, "reply_zapier": 0.95,
}  # fmt: skip


@pytest.mark.skipif(not PLACE, reason="TAMAS_CORPORA names no folder")
@pytest.mark.parametrize("name", FLOORS)
def test_a_corpus_is_read_no_worse_than_before(name: str) -> None:
    result = scored_folder(Path(PLACE) / name, SCORERS[name])
    assert result["passed"] / result["total"] >= FLOORS[name], result["failures"]
